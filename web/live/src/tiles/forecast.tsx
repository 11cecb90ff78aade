import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ByHour } from "../charts/by-hour";
import { account, ALL, filtered, type Forecasting, forecasting, type Forecasts, type Hour, hoursOf, type Outlook, seriesOf } from "../data/forecast";
import { type Clock, DAY, dayName, weekday } from "../data/store";
import type { Format } from "../format";
import { Ago } from "../parts/ago";
import { Asking } from "../parts/asking";
import { Decided, Worths, type Writes } from "../parts/gate";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { type Asked, Repeated } from "../state/repeated";
import { change, state } from "../state/state";
import { capital, sentence } from "../words";

const EVERY_MS = 60_000;
const held = new Repeated(forecasting, EVERY_MS);

/** What the next hours will sell, and today's hours against what had been forecast: asked for beside the ticks. */
export function ForecastTile({ model }: { model: Model }): JSX.Element {
  useEffect(() => held.follow(), []);
  return <Against asked={held.asked.value} format={model.format.value} clock={model.clock} />;
}

export function Against({ asked, ...writes }: { asked: Asked<Forecasting> } & Writes): JSX.Element {
  const [at, setAt] = useState<number | null>(null);
  const outlook = asked.found?.outlook ?? null;
  const forecasts = outlook?.forecasts ?? null;
  const series = forecasts === null ? [] : seriesOf(forecasts);
  const { branch, product_line, forecast: chosen } = state.value;
  const meant = filtered(series, branch, product_line);
  const shown = series.includes(chosen) ? chosen : meant;
  const hours = forecasts === null ? [] : hoursOf(forecasts, shown);
  const hour = at === null ? undefined : hours[at];
  return (
    <Tile name="forecast" title="Forecast" says={hour === undefined || asked.problem !== null ? <Asking asked={asked} before="Asking what is forecast" after={hint(hours)} /> : says(hour, writes)}>
      <div class={`standing outlook${hours.length === 0 ? " yet" : ""}`}>
        <div class="who">
          {hours.length > 0 && <Choice series={series} shown={shown} meant={meant} />}
          {hours.length > 0 ? (
            <Next hours={hours} {...writes} />
          ) : (
            <Word word={asked.found === null ? "–" : outlook === null ? "No forecast yet" : "No forecast"} none />
          )}
          {outlook !== null && <Worths worth={outlook.worth} />}
          {forecasts !== null && asked.found !== null && asked.found.at !== null && (
            <p class="faint">
              Forecast <Ago at={asked.found.at} />
              {forecasts.unknown.length > 0 && `; ${forecasts.unknown.length} series not learnt`}
            </p>
          )}
        </div>
        {forecasts !== null && hours.length > 0 ? (
          <Picture forecasts={forecasts} hours={hours} at={at} point={setAt} {...writes} />
        ) : (
          asked.found !== null && <Nothing outlook={outlook} />
        )}
      </div>
      <div class="more">{asked.found !== null && <All found={asked.found} hours={hours} {...writes} />}</div>
    </Tile>
  );
}

const hint = (hours: Hour[]): string =>
  hours.length === 0 ? "What the next hours will sell" : "Items an hour. Dots: sold; dashed line: forecast; band: where 8 of 10 cases lie";

// -- words

const thisDay = (clock: Clock): string => dayName(clock.day(Math.floor(Date.now() / 60_000)));

/** A day in as few words as tell which it is. */
function dayWord(day: string, { format, clock }: Writes): string {
  const today = thisDay(clock);
  if (day === today) return "today";
  const minute = Date.parse(day) / 60_000;
  return day.slice(0, 4) === today.slice(0, 4) ? `${format.weekday(weekday(minute / DAY))} ${format.day(minute)}` : format.fullDay(minute);
}

/** A time and, unless it is today's, its day. */
const on = (day: string, time: string, writes: Writes): string => (day === thisDay(writes.clock) ? time : `${dayWord(day, writes)}, ${time}`);

const when = ({ day, forecast: { hour } }: Hour, writes: Writes): string =>
  on(day, `${writes.format.clock(hour * 60)} to ${writes.format.clock((hour + 1) * 60)}`, writes);

const FEW = 3;

/** A mean in as many digits as it is worth. */
const about = (mean: number, format: Format): string => (mean < FEW ? format.fixed(mean, 1) : format.count(mean));

/** An hour in full. */
function says(hour: Hour, writes: Writes): string {
  const { format } = writes;
  const { mean, low, high } = hour.forecast;
  const forecast = `forecast ${format.fixed(mean, 1)}, in 8 of 10 cases ${format.fixed(low, 1)} to ${format.fixed(high, 1)}`;
  return `${when(hour, writes)}: ${hour.sold === null ? "" : `${format.counted(hour.sold, "item")} sold, `}${forecast}`;
}

/** What stands on both sides of the line between the hours that are over and those to come. */
export function sides({ day, today }: Forecasts, hours: Hour[], writes: Writes): { before: string; after: string } {
  if (day !== today) return { before: hours[0]?.day === today ? capital(dayWord(today, writes)) : "", after: capital(dayWord(day, writes)) };
  const local = writes.clock.local(Math.floor(Date.now() / 60_000));
  const next = hours.find(({ sold }) => sold === null);
  const current = day === thisDay(writes.clock) && next !== undefined && (local % DAY) / 60 < next.forecast.hour + 1;
  return current ? { before: "", after: "now" } : { before: "newest sales", after: "" };
}

// -- parts

function Choice({ series, shown, meant }: { series: string[]; shown: string; meant: string }): JSX.Element {
  return (
    <label class="of">
      Of{" "}
      <select value={shown} onChange={({ currentTarget: { value } }) => { change({ forecast: value === meant ? "" : value }); }}>
        {series.map((name) => (
          <option key={name} value={name}>
            {name === ALL ? "the whole store" : name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Word({ word, none = false }: { word: string; none?: boolean }): JSX.Element {
  return (
    <p class={`number${none ? " judged none" : ""}`} style={{ "--letters": word.length }}>
      {word}
    </p>
  );
}

/** The first hour to come, and how right today's were. */
function Next({ hours, ...writes }: { hours: Hour[] } & Writes): JSX.Element {
  const { format } = writes;
  const next = hours.find(({ sold }) => sold === null);
  const word = next === undefined ? "–" : `About ${about(next.forecast.mean, format)} items`;
  const over = account(hours);
  return (
    <>
      <Word word={word} />
      {next !== undefined && (
        <p>
          {when(next, writes)}; {format.count(next.forecast.low)} to {format.count(next.forecast.high)} in 8 of 10 cases
        </p>
      )}
      {over.hours > 0 && (
        <p>
          {capital(dayWord(hours[0]?.day ?? "", writes))}: {format.count(over.sold)} sold, {about(over.mean, format)} forecast; {over.within} of{" "}
          {format.counted(over.hours, "hour")} within the band
        </p>
      )}
    </>
  );
}

function Picture({ forecasts, hours, at, point, ...writes }: { forecasts: Forecasts; hours: Hour[]; at: number | null; point: (at: number | null) => void } & Writes): JSX.Element {
  const first = hours.findIndex(({ sold }) => sold === null);
  return (
    <ByHour
      hours={hours.map(({ forecast: { hour, low, mean, high }, sold }) => ({ name: String(hour), low, mean, high, measured: sold }))}
      parted={{ at: first < 0 ? hours.length : first, ...sides(forecasts, hours, writes) }}
      at={at}
      label="Items an hour, sold and forecast. Arrow keys move."
      says={(place) => { const hour = hours[place]; return hour === undefined ? "" : says(hour, writes); }}
      point={point}
      axis={writes.format.count}
    />
  );
}

/** Why nothing is forecast, and what would fill the tile. */
function Nothing({ outlook }: { outlook: Outlook | null }): JSX.Element {
  const why = outlook?.why ?? null;
  if (why !== null) return <p class="empty">{sentence(why)}</p>;
  if (outlook !== null) return <p class="empty">The model has not learnt what sells today.</p>;
  return (
    <p class="empty">
      There is no forecast yet: the part <code>flows</code> makes one every two minutes, once it has learnt from enough trading days. What the next hours will
      sell, and how right it was today, will stand here.
    </p>
  );
}

/** Every hour as a table, what is not forecast, and what the gate said last. */
function All({ found, hours, ...writes }: { found: Forecasting; hours: Hour[] } & Writes): JSX.Element | null {
  const { format } = writes;
  const unknown = found.outlook?.forecasts?.unknown ?? [];
  if (hours.length + unknown.length + found.decisions.length === 0) return null;
  return (
    <details>
      <summary class="link">{hours.length > 0 ? "All hours, and the" : "The"} gate’s decision</summary>
      {hours.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Sold</th>
              <th scope="col">Forecast</th>
              <th scope="col">8 of 10 cases</th>
            </tr>
          </thead>
          <tbody>
            {hours.map((hour) => (
              <tr key={`${hour.day} ${hour.forecast.hour}`}>
                <th scope="row">{on(hour.day, format.clock(hour.forecast.hour * 60), writes)}</th>
                <td>{hour.sold === null ? "–" : format.count(hour.sold)}</td>
                <td>{format.fixed(hour.forecast.mean, 1)}</td>
                <td>
                  {format.fixed(hour.forecast.low, 1)} to {format.fixed(hour.forecast.high, 1)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {unknown.length > 0 && <p>Not forecast, since the model has not learnt them: {unknown.join("; ")}.</p>}
      <Decided decisions={found.decisions} {...writes} />
    </details>
  );
}
