import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Model } from "../state/model";
import { change, settle, state } from "../state/state";
import { setTheme, theme, type Theme } from "../state/theme";
import { Dialog } from "./dialog";

const LOCALES = ["en-GB", "en-US", "de-DE", "de-CH", "es-ES", "fr-FR", "it-IT", "nl-NL", "pl-PL", "pt-BR", "sv-SE", "hi-IN", "ja-JP", "zh-CN"];
const CURRENCIES = ["AUD", "BRL", "CAD", "CHF", "CNY", "EUR", "GBP", "INR", "JPY", "MMK", "PLN", "SEK", "USD"];

const languages = new Intl.DisplayNames(["en"], { type: "language" });
const currencies = new Intl.DisplayNames(["en"], { type: "currency" });

/** How the page looks and writes. */
export function Settings({ model, close }: { model: Model; close: () => void }): JSX.Element {
  const { locale, currency, rate, kiosk } = state.value;
  const own = model.store.currency;
  const [wanted, setWanted] = useState(currency);
  const [asked, setAsked] = useState(String(rate));
  const rateOf = (text: string): number => Number(text.trim().replace(",", "."));
  const convert = (to: string, at: string): void => {
    setWanted(to);
    setAsked(at);
    const found = rateOf(at);
    const makesSense = to !== "" && found > 0 && Number.isFinite(found) && found !== 1;
    change(makesSense ? { currency: to, rate: found } : { currency: "", rate: 1 }, true);
  };
  return (
    <Dialog title="Settings" close={close}>
      <div class="form">
        <label>
          Theme
          <select value={theme.value} onChange={(event) => { setTheme(event.currentTarget.value as Theme); }}>
            <option value="system">System</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <label>
          Numbers and dates
          <select value={locale} onChange={(event) => { change({ locale: event.currentTarget.value }); }}>
            <option value="">As this browser does</option>
            {LOCALES.map((one) => (
              <option key={one} value={one}>
                {languages.of(one)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Currency
          <select value={wanted} onChange={(event) => { convert(event.currentTarget.value, asked); settle(); }}>
            <option value="">The store’s, {own}</option>
            {CURRENCIES.filter((one) => one !== own).map((one) => (
              <option key={one} value={one}>
                {one}, {currencies.of(one)}
              </option>
            ))}
          </select>
        </label>
        {wanted !== "" && (
          <label>
            {wanted} for one {own}
            <input inputMode="decimal" value={asked} onInput={(event) => { convert(wanted, event.currentTarget.value); }} onChange={settle} aria-invalid={!(rateOf(asked) > 0)} />
            <small>{currency === "" ? `Write your rate, and the page turns to ${wanted}: it has none of its own.` : `At your rate. Exact figures stay in ${own}.`}</small>
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={kiosk} onChange={() => { change({ kiosk: !kiosk }); close(); }} />
          Kiosk: no controls, for a screen on the wall. Escape leaves it.
        </label>
      </div>
    </Dialog>
  );
}
