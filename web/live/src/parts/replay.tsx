/** A day played again: everything on the page as it was at a time of that day, going on at any speed. */

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { DAY, dayName } from "../data/store";
import type { Model } from "../state/model";
import { change, settle, state } from "../state/state";

const SPEEDS = [1, 10, 60, 240];
const USUAL = 60;
const MS_A_SECOND = 1000;

/** Begin with the day before the newest sale's, which is whole. */
export function startReplay(model: Model): void {
  const { newest } = model.feed.cube;
  if (newest === null) return;
  const day = model.clock.day(newest);
  change({ replay: { day: Math.max(model.clock.day(model.feed.cube.oldest ?? newest), day - 1), minute: model.store.opens * 60, speed: USUAL } });
}

export function ReplayBar({ model }: { model: Model }): JSX.Element | null {
  const { replay } = state.value;
  const speed = replay?.speed ?? 0;
  const chosen = useRef(USUAL);
  if (speed > 0) chosen.current = speed;
  const end = model.store.closes * 60;
  useEffect(() => {
    if (speed === 0) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      const held = state.value.replay;
      if (held === null || held.speed === 0) return;
      const minute = Math.min(end, held.minute + ((now - last) / MS_A_SECOND) * held.speed);
      last = now;
      change({ replay: { ...held, minute, speed: minute >= end ? 0 : held.speed } }, true);
      if (minute >= end) settle();
      frame = requestAnimationFrame(step);
    });
    return () => {
      cancelAnimationFrame(frame);
    };
  }, [speed, end]);
  if (replay === null) return null;
  const format = model.format.value;
  const { oldest, newest } = model.feed.held.value.cube;
  const at = replay.day * DAY + Math.floor(replay.minute);
  return (
    <section class="replay" aria-label="Replay">
      <strong>Not live: replay</strong>
      <label>
        Day{" "}
        <input
          type="date"
          value={dayName(replay.day)}
          min={oldest === null ? "" : dayName(model.clock.day(oldest))}
          max={newest === null ? "" : dayName(model.clock.day(newest))}
          onChange={(event) => {
            const asked = Date.parse(event.currentTarget.value) / 86_400_000;
            if (!Number.isInteger(asked) || oldest === null || newest === null) return;
            const day = Math.min(model.clock.day(newest), Math.max(model.clock.day(oldest), asked));
            event.currentTarget.value = dayName(day);
            change({ replay: { ...replay, day, minute: model.store.opens * 60 } });
          }}
        />
      </label>
      <button type="button" class="chip" onClick={() => { change({ replay: { ...replay, speed: speed === 0 ? chosen.current : 0, minute: replay.minute >= end ? model.store.opens * 60 : replay.minute } }); }}>
        {speed === 0 ? "Play" : "Stop"}
      </button>
      <label>
        Speed{" "}
        <select value={chosen.current} onChange={(event) => { change({ replay: { ...replay, speed: Number(event.currentTarget.value) } }); }}>
          {SPEEDS.map((one) => (
            <option key={one} value={one}>
              {one} min/s
            </option>
          ))}
        </select>
      </label>
      <label class="scrub">
        <span class="time">{format.moment(at)}</span>
        <input
          type="range"
          min={model.store.opens * 60}
          max={end}
          step={1}
          value={Math.floor(replay.minute)}
          aria-valuetext={format.clock(at)}
          onInput={(event) => { change({ replay: { ...replay, speed: 0, minute: Number(event.currentTarget.value) } }, true); }}
          onChange={settle}
        />
      </label>
      <button type="button" class="chip" onClick={() => { change({ replay: null }); }}>
        Back to live
      </button>
    </section>
  );
}
