import type { JSX } from "preact";
import { at, type Measures } from "../cells";
import { count, type Money, percent } from "../format";

const SALES = at("sales");
const TICKETS = at("tickets");

interface Props {
  byCustomer: Map<string, Measures>;
  money: Money;
}

/** Each kind of customer: its size and its basket, side by side. */
export function Segments({ byCustomer, money }: Props): JSX.Element {
  const all = [...byCustomer.values()].reduce((sum, measures) => sum + (measures[SALES] ?? 0), 0);
  if (all === 0) return <p class="empty">Members and other customers are compared here once there are sales.</p>;
  return (
    <table class="segments">
      <thead>
        <tr>
          <th scope="col">Customer</th>
          <th scope="col">Share of sales</th>
          <th scope="col">Tickets</th>
          <th scope="col">Basket</th>
        </tr>
      </thead>
      <tbody>
        {[...byCustomer].sort().map(([customer, measures]) => {
          const share = (measures[SALES] ?? 0) / all;
          const tickets = measures[TICKETS] ?? 0;
          return (
            <tr key={customer}>
              <th scope="row">{customer}</th>
              <td>
                <span class="bar" style={{ "--share": share }} aria-hidden="true" />
                {percent(share)}
              </td>
              <td>{count(tickets)}</td>
              <td>{tickets > 0 ? money.fromUnits((measures[SALES] ?? 0) / tickets) : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
