/** The simulated stock ledger behind inventory turnover. The counterpart of `tidemark/stock.py`. */

/** A shelf's cost sold less returned, by day from the first day on, in units of 1/10,000. */
export type Sold = Float64Array;

export interface Closing {
  /** the stock at closing, summed over the days */
  sum: bigint;
  /** the stock at the last closing */
  left: number;
}

/** The closings of one shelf on the days `first` to `last` (since 1970); `sold` begins with `soldFrom`. */
export function closings(sold: Sold, soldFrom: number, first: number, last: number, full: number): Closing {
  let sum = 0n;
  let left = full;
  let next = first;
  const quiet = (end: number): void => {
    if (next === end) return;
    const refilled = Math.min(mondayAtOrAfter(next), end);
    sum += BigInt(refilled - next) * BigInt(left) + BigInt(end - refilled) * BigInt(full);
    if (refilled < end) left = full;
  };
  for (let day = first; day <= last; day++) {
    const taken = sold[day - soldFrom] ?? 0;
    if (taken === 0) continue;
    quiet(day);
    if (mondayAtOrAfter(next) <= day) left = full;
    left = Math.min(full, Math.max(0, left - taken));
    sum += BigInt(left);
    next = day + 1;
  }
  quiet(last + 1);
  return { sum, left };
}

const mondayAtOrAfter = (day: number): number => day + ((((4 - day) % 7) + 7) % 7); // day 0 was a Thursday
