import type { JSX } from "preact";
import { METRICS } from "../data/metrics";
import { open } from "../data/select";
import { Tile } from "../parts/tile";
import type { Model } from "../state/model";
import { anyFilter } from "../state/state";

/** What is left on each shelf of a simulated stock, and how much went over it. */
export function StockTile({ model }: { model: Model }): JSX.Element {
  const { shelves } = model.view.value;
  const format = model.format.value;
  const full = model.store.stock_at_cost;
  const lines = model.options.value.product_line.filter((line) => open(model.selection.value.product_line, line));
  const branches = model.options.value.branch.filter((branch) => open(model.selection.value.branch, branch));
  return (
    <Tile name="stock" title="Stock left at the last closing, at cost" says={`Simulated; full is ${format.short(METRICS.cogs, full)}, refilled on Mondays`}>
      {shelves.length === 0 ? (
        <p class="empty">{anyFilter.value ? "No sale passes the filters." : "No till file says what lies on the shelves. Once there are sales, a simulated stock is shown here."}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of the stock">
          <table class="stock">
            <thead>
              <tr>
                <th scope="col">Product line</th>
                {branches.map((branch) => (
                  <th key={branch} scope="col">
                    {branch}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={line}>
                  <th scope="row">{line}</th>
                  {branches.map((branch) => {
                    const shelf = shelves.find((one) => one.branch === branch && one.product_line === line);
                    const left = shelf?.left ?? full;
                    return (
                      <td key={branch} class={left < full / 10 ? "low" : ""} title={shelf === undefined ? "nothing sold" : `${format.money(shelf.sold)} sold, at cost`}>
                        <span class="level" style={{ "--share": left / full }} />
                        {left < full / 10 ? "low " : ""}
                        {format.percent(left / full)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Tile>
  );
}
