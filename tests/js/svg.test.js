import assert from "node:assert/strict";
import { test } from "node:test";

import { SvgSurface } from "../../static/js/keep/svg.js";
import { createRandom } from "./random.js";
import { all, parseXml } from "./xml.js";

/** Letters are half as wide as they are high; the x is half as high, on its line. */
const measure = () => ({
  font: "",
  textBaseline: /** @type {CanvasTextBaseline} */ ("alphabetic"),
  /** @param {string} text */
  measureText(text) {
    const size = Number(/([\d.]+)px/.exec(this.font)?.[1] ?? 10);
    const line = { top: 0.8, middle: 0.3, bottom: -0.2, alphabetic: 0 }[
      /** @type {"top"} */ (this.textBaseline)
    ];
    return /** @type {TextMetrics} */ ({
      width: (text.length * size) / 2,
      actualBoundingBoxAscent: (0.5 - line) * size,
    });
  },
});

const surface = (title = "A title", description = "What it shows") =>
  new SvgSurface({ width: 200, height: 100, title, description, measure: measure() });

/** @param {SvgSurface} svg */
const parsed = (svg) => parseXml(svg.toString());

/** @param {SvgSurface} svg @param {string} name */
const only = (svg, name) => {
  const found = all(parsed(svg), name);
  assert.equal(found.length, 1, svg.toString());
  return found[0];
};

/** An image of a size. @param {number} width @param {number} height */
const image = (width, height) =>
  /** @type {HTMLCanvasElement} */ ({
    width,
    height,
    toDataURL: () => "data:image/png;base64,AA==",
  });

test("an empty picture is a whole SVG file that says what it is", () => {
  const root = parsed(surface("a < b & “c”", 'say "h"'));
  assert.equal(root.name, "svg");
  assert.equal(root.attributes.xmlns, "http://www.w3.org/2000/svg");
  assert.deepEqual(
    [root.attributes.width, root.attributes.height, root.attributes.viewBox],
    ["200", "100", "0 0 200 100"],
  );
  assert.equal(all(root, "title")[0].text, "a < b & “c”");
  assert.equal(all(root, "desc")[0].text, 'say "h"');
});

test("text comes back exactly, whatever it looks like", () => {
  for (const text of [
    "</text><script>alert(1)</script>",
    "<!-- & ]]> <![CDATA[",
    "&lt;b&gt; &amp;",
    `quotes " ' both`,
    "  two  spaces  ",
    "naïve 日本語 🙂 \u202e",
  ]) {
    const svg = surface(text, text);
    svg.fillText(text, 1, 2);
    assert.equal(only(svg, "text").text, text);
    assert.equal(only(svg, "title").text, text);
  }
});

test("what no XML can hold is replaced", () => {
  const svg = surface();
  svg.fillText("a\0b\u0007c\ud800d\uffffe", 0, 0);
  assert.equal(only(svg, "text").text, "a\ufffdb\ufffdc\ufffdd\ufffde");
});

test("a line break in a text is a space, as on a canvas", () => {
  const svg = surface();
  svg.fillText("a\nb\tc", 0, 0);
  assert.equal(only(svg, "text").text, "a b c");
});

test("a path stays where it was drawn, and a pen is as wide as user space is now", () => {
  const svg = surface();
  svg.translate(10, 20);
  svg.scale(2, 2);
  svg.beginPath();
  svg.moveTo(1, 1);
  svg.lineTo(5, 1);
  svg.translate(100, 100);
  svg.lineTo(0, 0);
  svg.scale(2, 2);
  svg.lineWidth = 3;
  svg.setLineDash([1, 2]);
  svg.stroke();
  const path = only(svg, "path").attributes;
  assert.equal(path.d, "M12 22L20 22L210 220");
  assert.equal(path["stroke-width"], "12");
  assert.equal(path["stroke-dasharray"], "4 8");
});

test("a pen in a stretched user space is stretched with it", () => {
  const svg = surface();
  svg.translate(5, 0);
  svg.scale(10, 1);
  svg.beginPath();
  svg.moveTo(0, 0);
  svg.lineTo(2, 3);
  svg.stroke();
  const { d, transform } = only(svg, "path").attributes;
  assert.deepEqual([d, transform], ["M0 0L2 3", "translate(5 0) scale(10 1)"]);
});

test("restore brings back everything that save kept", () => {
  const svg = surface();
  const set = (/** @type {string} */ colour, /** @type {number} */ n) => {
    svg.fillStyle = colour;
    svg.strokeStyle = colour;
    svg.lineWidth = n;
    svg.globalAlpha = 1 / n;
    svg.font = `${n}px serif`;
    svg.textAlign = n % 2 ? "left" : "right";
    svg.textBaseline = n % 2 ? "top" : "bottom";
    svg.imageSmoothingEnabled = Boolean(n % 2);
    svg.setLineDash([n]);
    svg.translate(n, n);
    svg.scale(n, n);
    svg.beginPath();
    svg.rect(0, 0, n, n);
    svg.clip();
  };
  const read = () => ({ ...svg._now });
  set("#112233", 3);
  const before = read();
  svg.save();
  set("#445566", 4);
  svg.save();
  set("#778899", 5);
  svg.restore();
  svg.restore();
  assert.deepEqual(read(), before);
  svg.restore(); // one too many does nothing
  assert.deepEqual(read(), before);
});

test("a clip inside a clip lets through what both let through", () => {
  const svg = surface();
  const clip = (/** @type {number} */ x) => {
    svg.beginPath();
    svg.rect(x, 0, 10, 10);
    svg.clip();
  };
  clip(0);
  svg.fillRect(0, 0, 1, 1);
  svg.save();
  clip(5);
  svg.fillRect(1, 0, 1, 1);
  svg.fillRect(2, 0, 1, 1);
  svg.restore();
  svg.fillRect(3, 0, 1, 1);
  const root = parsed(svg);
  const [outer, inner] = all(root, "clipPath");
  assert.equal(outer.attributes["clip-path"], undefined);
  assert.equal(inner.attributes["clip-path"], `url(#${outer.attributes.id})`);
  const groups = all(root, "g").map(({ attributes, children }) => [
    attributes["clip-path"],
    children.map((rect) => rect.attributes.x),
  ]);
  assert.deepEqual(groups, [
    [`url(#${outer.attributes.id})`, ["0"]],
    [`url(#${inner.attributes.id})`, ["1", "2"]],
    [`url(#${outer.attributes.id})`, ["3"]],
  ]);
});

test("a colour's own transparency and the picture's multiply, and no colour needs CSS 4", () => {
  /** @type {[string, string, string | undefined][]} */
  const cases = [
    ["#0b6e75", "#0b6e75", "0.5"],
    ["#0b6e7580", "#0b6e75", "0.251"],
    ["#abc8", "#abc", "0.267"],
    ["rgba(1, 2, 3, 0.5)", "rgb(1,2,3)", "0.25"],
    ["rgb(1 2 3 / 50%)", "rgb(1,2,3)", "0.25"],
    ["rgb(1, 2, 3)", "rgb(1, 2, 3)", "0.5"],
  ];
  for (const [given, fill, opacity] of cases) {
    const svg = surface();
    svg.globalAlpha = 0.5;
    svg.fillStyle = given;
    svg.fillRect(0, 0, 1, 1);
    const { attributes } = only(svg, "rect");
    assert.deepEqual([attributes.fill, attributes["fill-opacity"]], [fill, opacity], given);
  }
});

test("a gradient is refused, as it could not be written", () => {
  assert.throws(() => (surface().fillStyle = /** @type {CanvasGradient} */ ({})), /plain colours/);
});

test("text stands where its baseline says, and its font is in attributes of its own", () => {
  const svg = surface();
  svg.font = 'italic 600 20px ui-serif, "Noto Serif", serif';
  svg.textBaseline = "middle";
  svg.textAlign = "center";
  svg.translate(10, 0);
  svg.fillText("x", 5, 50);
  const { attributes } = only(svg, "text");
  assert.deepEqual([attributes.x, attributes.y], ["15", "56"]);
  assert.equal(attributes["text-anchor"], "middle");
  assert.deepEqual(
    ["style", "weight", "size", "family"].map((name) => attributes[`font-${name}`]),
    ["italic", "600", "20", 'ui-serif, "Noto Serif", serif'],
  );
});

test("a font that is none changes nothing", () => {
  const svg = surface();
  svg.font = "12px serif";
  svg.font = "large and friendly";
  assert.equal(svg.font, "12px serif");
});

test("text too long for its place is made narrower, other text is not", () => {
  const svg = surface();
  svg.fillText("1234567890", 0, 0, 40);
  svg.fillText("1234", 0, 0, 40);
  const [long, short] = all(parsed(svg), "text");
  assert.equal(long.attributes.textLength, "40");
  assert.equal(short.attributes.textLength, undefined);
});

test("a full circle is there, and an arc goes the way it was asked to", () => {
  const d = (/** @type {Parameters<SvgSurface["arc"]>} */ ...of) => {
    const svg = surface();
    svg.beginPath();
    svg.arc(...of);
    svg.fill();
    return only(svg, "path").attributes.d;
  };
  assert.equal(d(50, 50, 10, 0, 2 * Math.PI), "M60 50A10 10 0 0 1 40 50A10 10 0 0 1 60 50");
  assert.equal(d(50, 50, 10, 0, Math.PI / 2), "M60 50A10 10 0 0 1 50 60");
  assert.equal(d(50, 50, 10, Math.PI / 2, 0, true), "M50 60A10 10 0 0 0 60 50");
});

test("a path that begins with a line begins there", () => {
  const svg = surface();
  svg.beginPath();
  svg.lineTo(3, 4);
  svg.lineTo(5, 6);
  svg.stroke();
  assert.equal(only(svg, "path").attributes.d, "M3 4L5 6");
});

test("a picture of pixels keeps them, and its place is user space's", () => {
  const svg = surface();
  svg.scale(2, 3);
  svg.imageSmoothingEnabled = false;
  svg.globalAlpha = 0.5;
  svg.drawImage(image(4, 4), 1, 1, 10, 10);
  const { attributes } = only(svg, "image");
  assert.deepEqual(
    ["x", "y", "width", "height"].map((name) => attributes[name]),
    ["2", "3", "20", "30"],
  );
  assert.equal(attributes["xlink:href"], "data:image/png;base64,AA==");
  assert.match(attributes.style, /pixelated/);
  assert.equal(attributes.preserveAspectRatio, "none");
  assert.equal(attributes.opacity, "0.5");
  assert.throws(() => svg.drawImage(image(0, 4), 0, 0, 1, 1), /without pixels/);
});

test("places that are no numbers draw nothing, as on a canvas", () => {
  const svg = surface();
  svg.beginPath();
  svg.moveTo(NaN, 0);
  svg.lineTo(Infinity, 0);
  svg.arc(0, 0, NaN, 0, 1);
  svg.rect(0, 0, NaN, 1);
  svg.roundRect(0, NaN, 1, 1, 2);
  svg.stroke();
  svg.fillRect(0, NaN, 1, 1);
  svg.fillText("x", NaN, 0);
  svg.translate(NaN, 0);
  svg.drawImage(image(1, 1), NaN, 0, 1, 1);
  svg.fillRect(1, 2, 3, 4);
  assert.equal(only(svg, "rect").attributes.x, "1");
  assert.doesNotMatch(svg.toString(), /NaN|Infinity/);
});

test("any drawing is well-formed, with every number in place", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = createRandom(seed);
    const n = () => random.integer(-300, 300) / 3;
    const svg = surface();
    const steps = [
      () => svg.save(),
      () => svg.restore(),
      () => svg.translate(n(), n()),
      () => svg.scale(random.integer(1, 9) / 4, random.integer(1, 9) / 4),
      () => svg.beginPath(),
      () => svg.moveTo(n(), n()),
      () => svg.lineTo(n(), n()),
      () => svg.arc(n(), n(), Math.abs(n()), n(), n(), random.flip()),
      () => svg.quadraticCurveTo(n(), n(), n(), n()),
      () => svg.bezierCurveTo(n(), n(), n(), n(), n(), n()),
      () => svg.roundRect(n(), n(), n(), n(), [Math.abs(n()), 3]),
      () => svg.rect(n(), n(), n(), n()),
      () => svg.closePath(),
      () => svg.clip(),
      () => svg.fill("evenodd"),
      () => svg.stroke(),
      () => svg.fillRect(n(), n(), n(), n()),
      () => svg.strokeRect(n(), n(), n(), n()),
      () => svg.fillText(random.pick(["<", "&", "a b", "🙂", "\ud83d"]), n(), n(), 20),
      () => svg.setLineDash([1, 2, 3]),
      () => (svg.globalAlpha = random.next()),
      () => (svg.lineWidth = n()),
      () => svg.drawImage(image(2, 2), n(), n(), n(), n()),
    ];
    for (let step = 0; step < 120; step++) random.pick(steps)();
    const root = parsed(svg);
    const paths = all(root, "g").flatMap((group) => group.children);
    for (const { attributes } of paths.filter(({ name }) => name === "path")) {
      assert.match(attributes.d, /^M-?[\d.]+ -?[\d.]+([MLQCA]?-?[\d.]+ ?|Z)*$/);
    }
    const ids = all(root, "clipPath").map(({ attributes }) => attributes.id);
    for (const { attributes } of all(root, "g")) {
      assert.ok(ids.includes(attributes["clip-path"].slice(5, -1)));
    }
  }
});
