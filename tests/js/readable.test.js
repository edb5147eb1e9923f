import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { colourTable, parseColour } from "../../static/js/colour.js";
import { CONTRAST, contrast, softened, unpack } from "../../static/js/unit/readable.js";

/** The colours of both themes, read from the style sheet. */
function themes() {
  const css = readFileSync(new URL("../../static/css/theme.css", import.meta.url), "utf8");
  return css
    .split("prefers-color-scheme: dark")
    .map((part) =>
      Object.fromEntries(
        [...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]]),
      ),
    );
}

test("contrast is what WCAG's examples say", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([119, 119, 119], [119, 119, 119]), 1);
  const grey = contrast([118, 118, 118], [255, 255, 255]); // #767676, the lightest grey of AA
  assert.ok(grey >= 4.5 && grey < 4.6, String(grey));
});

test("text can be read on every colour of both scales, light and dark, and no more is lost than must be", () => {
  for (const theme of themes()) {
    const stops = [
      ["low", "high"],
      ["negative", "zero", "positive"],
    ];
    for (const names of stops) {
      const table = colourTable(
        names.map((name) => parseColour(theme[name])),
        parseColour(theme["not-finite"]),
      );
      const soft = softened(table, theme.ink, theme.bg);
      const ink = parseColour(theme.ink);
      const found = [...soft].map((packed) => contrast(unpack(packed), ink));
      assert.equal(soft.length, table.length);
      assert.ok(Math.min(...found) >= CONTRAST, `${names}: ${Math.min(...found)}`);
      assert.ok(Math.min(...found) < CONTRAST + 0.3, `${names}: ${Math.min(...found)}`);
    }
  }
});

test("colours on which text can be read stay as they are", () => {
  const table = colourTable([parseColour("#ffffff"), parseColour("#eeeeee")], [255, 200, 200]);
  assert.deepEqual(softened(table, "#000000", "#fbfaf8"), table);
});
