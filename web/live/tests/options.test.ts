import { expect, it } from "vitest";
import { escape } from "../src/charts/options";

it("lets no markup of a till's into a tooltip", () => {
  expect(escape(`<img src=x onerror="alert('1')">&`)).not.toMatch(/[<>"']/);
});
