/** The simulated stock ledger behind inventory turnover. The counterpart of `tidemark/stock.py`. */

/** A shelf (branch and product line) to store's day (since 1970) to cost sold less returned, in units of 1/10,000. */
export type SoldByShelf = Map<string, Map<number, number>>;

export function closingSum(sold: SoldByShelf, first: number, last: number, full: number): bigint {
  let total = 0n;
  for (const byDay of sold.values()) total += shelf(byDay, first, last, full);
  return total;
}

function shelf(byDay: Map<number, number>, first: number, last: number, full: number): bigint {
  let total = 0n;
  let left = full;
  let next = first;
  const days = [...byDay.keys()].filter((day) => day >= first && day <= last).sort((a, b) => a - b);
  for (const day of days) {
    total += quiet(next, day, left, full);
    if (mondayAtOrAfter(next) <= day) left = full;
    left = Math.min(full, Math.max(0, left - (byDay.get(day) ?? 0)));
    total += BigInt(left);
    next = day + 1;
  }
  return total + quiet(next, last + 1, left, full);
}

/** The closing stock summed over days on which nothing is sold. */
function quiet(start: number, end: number, left: number, full: number): bigint {
  const refilled = Math.min(mondayAtOrAfter(start), end);
  return BigInt(refilled - start) * BigInt(left) + BigInt(end - refilled) * BigInt(full);
}

const mondayAtOrAfter = (day: number): number => day + ((((4 - day) % 7) + 7) % 7); // day 0 was a Thursday
