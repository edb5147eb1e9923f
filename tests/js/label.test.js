import assert from "node:assert/strict";
import { test } from "node:test";

import { codePoints, label, plotlyLabel } from "../../static/js/label.js";
import { forAll } from "./random.js";

/** What a screen shows nothing for, or only a gap, by the Unicode character database. */
const UNSEEN = /^(?:\p{Cc}|\p{Cs}|\p{Cn}|\p{Z}|\p{Default_Ignorable_Code_Point})$/u;

/** What turns the text around it the other way. */
const TURNS = /\p{Bidi_Control}/u;

/** Every character there is; of the planes in which there is none, every hundredth. */
function* everyCharacter() {
  for (let point = 0; point <= 0x10ffff; point += point >= 0x40000 && point < 0xe0000 ? 100 : 1) {
    yield String.fromCodePoint(point);
  }
}

test("every character that cannot be seen is shown, each in a way of its own; all others stay", () => {
  /** @type {Map<string, string>} */
  const owner = new Map();
  let seen = "";
  for (const ch of everyCharacter()) {
    if (!UNSEEN.test(ch)) {
      // Interlinear marks have no picture either, whatever the database says.
      if (!/[\ufff9-\ufffb]/.test(ch)) seen += ch;
      if (seen.length < 60) continue;
      // A mark that begins a token has nothing to stand on but a circle.
      assert.equal(label(seen), (/^\p{M}/u.test(seen) ? "◌" : "") + seen);
      seen = "";
      continue;
    }
    const shown = label(ch);
    if ([...shown].some((part) => UNSEEN.test(part))) assert.fail(`${codePoints(ch)} is not shown`);
    if (owner.has(shown))
      assert.fail(`${codePoints(ch)} looks like ${codePoints(owner.get(shown) ?? "")}`);
    owner.set(shown, ch);
  }
  assert.ok(owner.size > 100);
});

test("no label holds anything that reorders or hides its surroundings, whatever the token", () => {
  const odd = [
    "\u0000",
    "\u001b",
    "\u007f",
    "\u0085",
    " ",
    "\n",
    "\t",
    "\r",
    "\u00a0",
    "\u00ad",
    "\u200b",
    "\u200d",
    "\u200e",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u061c",
    "\ufeff",
    "\u3000",
    "\u2028",
    "\ud800",
    "\udfff",
    "\ufe0f",
    "\u{e0041}",
    "\uffff",
    "a",
    "é",
    "é",
    "ش",
    "ת",
    "漢",
    "1",
    "<b>",
    "&amp;",
    "👩",
    "👩‍👧",
    "🏽",
    "❤️",
  ];
  forAll(3000, (random) => {
    const token = Array.from({ length: random.integer(1, 8) }, () => random.pick(odd)).join("");
    const shown = label(token);
    assert.ok(!TURNS.test(shown), codePoints(token));
    assert.ok(shown.isWellFormed(), codePoints(token));
    const spaces = shown.replace(/(?<=\S) (?=\S)/g, "");
    assert.ok(!/[\p{Cc}\p{Z}]/u.test(spaces), codePoints(token));
    const glue = [...spaces].filter((ch) => UNSEEN.test(ch) && ch !== "\u200d" && ch !== "\ufe0f");
    assert.deepEqual(glue, [], codePoints(token));
    // A joiner that is left alone stands between two pictures.
    const characters = [...shown];
    characters.forEach((ch, n) => {
      if (ch !== "\u200d") return;
      assert.match(
        characters[n - 1],
        /[\p{Extended_Pictographic}\ufe0f\p{Emoji_Modifier}]/u,
        codePoints(token),
      );
      assert.match(characters[n + 1], /\p{Extended_Pictographic}/u, codePoints(token));
    });
  });
});

test("a space is a sign where it would not be seen, and a space between two words", () => {
  for (const [text, shown] of [
    [" ", "␣"],
    ["next close", "next close"],
    ["−0.5 …", "−0.5 …"],
    [" the", "␣the"],
    ["the ", "the␣"],
    ["a  b", "a␣␣b"],
    ["a \u200b", "a␣‹200B›"],
  ])
    assert.equal(label(text), shown);
});

test("emoji of several code points stay whole", () => {
  for (const emoji of ["👩‍👩‍👧‍👦", "👩🏽‍🚀", "❤️‍🔥", "🏳️‍🌈", "❤️", "1️⃣", "🇩🇪", "👍🏿", "🧔🏻‍♂️"]) {
    assert.equal(label(emoji), emoji);
    assert.equal(label(`x${emoji}y`), `x${emoji}y`);
  }
});

test("a joiner is shown wherever it joins no pictures", () => {
  for (const token of [
    "a\u200db",
    "1\u200d2",
    "\u200d",
    "👩\u200d",
    "\u200d👩",
    "👩‍👧 a\u200db",
    "#\u200d#",
  ]) {
    assert.match(label(token), /‹200D›/, codePoints(token));
  }
});

test("scripts, accents and right-to-left text are shown as they were written", () => {
  for (const token of [
    "cafe\u0301",
    "שלום",
    "الشمس",
    "ไทย",
    "हिन्दी",
    "漢字",
    "z̸̡",
    "naïve",
    "𝔘𝔫𝔦",
  ]) {
    assert.equal(label(token), token);
  }
});

test("a token that looks like markup stays the text it is", () => {
  for (const token of [
    "<script>alert(1)</script>",
    "<img/src=x>",
    "&lt;",
    '"onclick="x',
    "</bdi>",
  ]) {
    assert.equal(label(token), token);
  }
});

test("lone surrogates are named, pairs are characters", () => {
  assert.equal(label("\ud83d"), "‹D83D›");
  assert.equal(label("a\ude00b"), "a‹DE00›b");
  assert.equal(label("\ud83d\ude00"), "😀");
  assert.equal(label("\ude00\ud83d"), "‹DE00›‹D83D›");
});

test("no label is longer than 64 characters, and only what is longer is cut", () => {
  for (const ch of ["a", "😀", " ", "\u0000", "e\u0301"]) {
    for (const count of [1, 31, 32, 33, 63, 64, 65, 200]) {
      const whole = [...label(ch)].join("").repeat(count);
      const shown = label(ch.repeat(count));
      const length = [...whole].length;
      if (length <= 64) assert.equal(shown, whole);
      else {
        assert.equal([...shown].length, 64);
        assert.ok(shown.endsWith("…") && whole.startsWith(shown.slice(0, -1)));
      }
      assert.ok(shown.isWellFormed());
    }
  }
});

test("a token of a million characters is labelled in no time", () => {
  for (const ch of ["a", "\u0000", "😀", "\u200d", "<", "👩\u200d", "\ufe0f"]) {
    const token = ch.repeat(Math.ceil(1e6 / ch.length));
    const start = performance.now();
    assert.equal([...label(token)].length, 64);
    assert.ok(plotlyLabel(token).length < 1000);
    assert.ok(codePoints(token).length < 200);
    const took = performance.now() - start;
    assert.ok(took < 500, `${took} ms`);
  }
});

/** Read a string as Plotly does: tags out, then entities back, each once. @param {string} text */
function readAsPlotly(text) {
  /** @type {Record<string, string>} */
  const entities = {
    amp: "&",
    lt: "<",
    gt: ">",
    nbsp: "\u00a0",
    times: "×",
    plusmn: "±",
    deg: "°",
  };
  return text.replace(/<[^>]*>/g, "").replace(/&(#\d+|#x[\da-fA-F]+|[a-z]+);/g, (all, name) => {
    if (name.startsWith("#x")) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return entities[name] ?? all;
  });
}

test("Plotly shows exactly the label, whatever markup or entity the token holds", () => {
  const parts = [
    "<b>",
    "</b>",
    "<br>",
    "<a href='x'>",
    "&lt;",
    "&amp;",
    "&#60;",
    "&#x3c;",
    "&nbsp;",
    "&",
    "<",
    ">",
    ";",
    "a",
    " ",
    "\n",
  ];
  forAll(2000, (random) => {
    const token = Array.from({ length: random.integer(1, 10) }, () => random.pick(parts)).join("");
    assert.equal(readAsPlotly(plotlyLabel(token)), label(token));
  });
});

test("the code points of a token are listed, at most twelve of them", () => {
  assert.equal(codePoints("A\u0301😀\ud800"), "U+0041 U+0301 U+1F600 U+D800");
  forAll(200, (random) => {
    const points = Array.from({ length: random.integer(1, 30) }, () =>
      random.integer(0x10000, 0x10ffff),
    );
    const listed = codePoints(String.fromCodePoint(...points)).split(" ");
    const read = listed.filter((part) => part !== "…").map((part) => parseInt(part.slice(2), 16));
    assert.deepEqual(read, points.slice(0, 12));
    assert.equal(listed.includes("…"), points.length > 12);
  });
});
