import type { JSX } from "preact";
import { change, DEFAULTS, type KpiName, KPIS, state, type TileName, TILES } from "../state/state";
import { Dialog } from "./dialog";

/** Which numbers and tiles are shown, and in which order. */
export function Arrange({ close }: { close: () => void }): JSX.Element {
  return (
    <Dialog title="Tiles" close={close}>
      <h3>Numbers at the top</h3>
      <Order names={KPIS} chosen={state.value.kpis} set={(kpis: KpiName[]) => { change({ kpis }); }} />
      <h3>Tiles</h3>
      <Order names={TILES} chosen={state.value.tiles} set={(tiles: TileName[]) => { change({ tiles }); }} />
      <button type="button" class="chip" onClick={() => { change({ tiles: DEFAULTS.tiles, kpis: DEFAULTS.kpis }); }}>
        As it was at first
      </button>
    </Dialog>
  );
}

interface Props<T extends string> {
  names: Record<T, string>;
  chosen: T[];
  set: (chosen: T[]) => void;
}

function Order<T extends string>({ names, chosen, set }: Props<T>): JSX.Element {
  const rest = (Object.keys(names) as T[]).filter((name) => !chosen.includes(name));
  const move = (place: number, by: number): void => {
    const next = [...chosen];
    const [moved] = next.splice(place, 1);
    if (moved !== undefined) next.splice(place + by, 0, moved);
    set(next);
  };
  return (
    <ul class="order">
      {[...chosen, ...rest].map((name) => {
        const place = chosen.indexOf(name);
        return (
          <li key={name}>
            <label>
              <input
                type="checkbox"
                checked={place >= 0}
                disabled={place >= 0 && chosen.length === 1}
                onChange={() => { set(place >= 0 ? chosen.filter((one) => one !== name) : [...chosen, name]); }}
              />
              {names[name]}
            </label>
            <button type="button" class="chip" disabled={place <= 0} aria-label={`${names[name]}: up`} onClick={() => { move(place, -1); }}>
              ↑
            </button>
            <button type="button" class="chip" disabled={place < 0 || place === chosen.length - 1} aria-label={`${names[name]}: down`} onClick={() => { move(place, 1); }}>
              ↓
            </button>
          </li>
        );
      })}
    </ul>
  );
}
