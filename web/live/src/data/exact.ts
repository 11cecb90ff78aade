/** Exact numbers: money in units of 1/10,000, ratios rounded half-even. The counterpart of `tidemark/money.py`. */

export const SCALE = 10_000;

/** `numerator / denominator` in units of 10^-places, rounded half-even; `denominator` positive. */
export function ratioUnits(numerator: bigint, denominator: bigint, places: number): bigint {
  const scaled = numerator * 10n ** BigInt(places);
  let quotient = scaled / denominator;
  let remainder = scaled % denominator;
  if (remainder < 0n) {
    quotient -= 1n;
    remainder += denominator;
  }
  const twice = 2n * remainder;
  return twice > denominator || (twice === denominator && quotient % 2n !== 0n) ? quotient + 1n : quotient;
}

/** The shortest decimal text of `units` of 10^-places. */
export function text(units: bigint, places = 4): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const part = digits.slice(digits.length - places).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${part ? `.${part}` : ""}`;
}

export const ratio = (numerator: bigint, denominator: bigint): number | null =>
  denominator === 0n ? null : Number(text(ratioUnits(numerator, denominator, 4)));

/** Units of 1/10,000 divided by a whole number, as decimal text. */
export const divide = (units: bigint, by: bigint, places = 6): string =>
  text(ratioUnits(units, by * BigInt(SCALE), places), places);
