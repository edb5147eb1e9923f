import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import {
  assemble,
  base64,
  inert,
  partOf,
  planSession,
  saveSession,
  VERSION,
} from "../../static/js/keep/offline.js";
import { createArrays, createOfflineApi, fromBase64 } from "../../static/js/keep/offline-api.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { createRandom } from "./random.js";
import { asApi, describe, fill, model, quantities } from "./worlds.js";

/** @import {NDArray} from '../../static/js/types.js' */

const PAGE = "<html><head><!-- session --></head><body></body></html>";

/** A server that has one recording, and its state. @param {Parameters<typeof describe>[0]} [sizes] */
function world(sizes = {}) {
  const about = describe(sizes);
  const arrays = fill(about);
  about.arrays = [...arrays].map(([name, { shape }]) => ({
    name,
    shape,
    dtype: "F32",
    low: -1,
    high: 1,
    finite: true,
  }));
  about.nbytes = sizes.nbytes ?? 1000;
  const random = createRandom(9);
  const width = (/** @type {number} */ layer) => about.lstm.layers[layer];
  /** @type {Map<string, NDArray>} */
  const weights = new Map();
  const api = asApi({
    offlinePage: async () => PAGE,
    arrays: async (_, names, part = {}) =>
      new Map(
        names.map((name) => {
          const array = /** @type {NDArray} */ (arrays.get(name));
          if (array.shape.length < 2) return [name, array];
          const { start = 0, stop = array.shape[0] } = part;
          const data = array.data.slice(start * array.shape[1], stop * array.shape[1]);
          return [name, { shape: [stop - start, array.shape[1]], data }];
        }),
      ),
    cellWeights: async ({ layer, direction }) => {
      const { hidden_size: units, input_size, output_size } = width(layer);
      const made = new Map(
        Object.entries({ W: input_size, U: output_size, b: 2 }).map(([name, columns]) => [
          name,
          {
            shape: [units, 4, columns],
            data: Float32Array.from(random.numbers(units * 4 * columns)),
          },
        ]),
      );
      for (const [name, array] of made) weights.set(`${layer}.${direction}.${name}`, array);
      return made;
    },
    order: async () => ({ order: [2, 0, 1, 3] }),
  });
  const state = createState();
  const recording = new Recording(about, api, () => {});
  state.about.set(/** @type {any} */ ({ version: "1", limits: {}, plotly_url: "/plotly.js" }));
  state.quantities.set(quantities());
  state.models.set([{ ...model(about.model, []), lstm: about.lstm }, model("other", [])]);
  state.recording.set(recording);
  state.model.set(about.model);
  state.text.set(about.text);
  return { about, arrays, weights, api, state, recording };
}

/** @param {ReturnType<typeof world>} world @param {import('../../static/js/keep/offline.js').Part | null} [part] */
async function saved({ state, api, recording }, part = null) {
  /** @type {number[]} */
  const progress = [];
  const blob = await saveSession(state, api, recording, {
    charts: false,
    part,
    signal: new AbortController().signal,
    onProgress: (done) => progress.push(done),
  });
  assert.deepEqual([...progress].sort(), progress);
  assert.equal(progress.at(-1), 1);
  return open(await blob.text());
}

/** What a browser finds in the file: its elements by their ids. @param {string} html */
function open(html) {
  const texts = new Map(
    [...html.matchAll(/<script type="[\w/]+" id="([\w-]+)">([^<]*)<\/script>/g)].map(
      ([, id, text]) => [id, text],
    ),
  );
  const document = /** @type {Document} */ (
    /** @type {unknown} */ ({
      getElementById: (/** @type {string} */ id) =>
        texts.has(id) ? { textContent: texts.get(id), remove: () => texts.delete(id) } : null,
    })
  );
  /** @type {import('../../static/js/keep/offline.js').Session} */
  const session = JSON.parse(texts.get("session") ?? "");
  const api = createOfflineApi(session, createArrays(document, session), async () => null);
  return { html, session, api };
}

const refused = (/** @type {RegExp} */ words) => (/** @type {unknown} */ error) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.match(error.message, words);
  return true;
};

test("every array comes back exactly as it was recorded", async () => {
  const here = world({ timesteps: 6, layers: 2, units: 4, proj: 3 });
  const { session, api } = await saved(here);
  assert.equal(session.version, VERSION);
  const names = [...here.arrays.keys()];
  const found = await api.arrays("", names);
  for (const name of names) assert.deepEqual(found.get(name), here.arrays.get(name), name);
});

test("float64 stays float64", () => {
  const data = Float64Array.of(Math.PI, -0, NaN, Infinity, 5e-324);
  const text = [...base64(data)].join("");
  assert.deepEqual(new Float64Array(fromBase64(text).buffer), data);
});

test("any number of bytes goes through text and back", () => {
  const random = createRandom(3);
  for (const length of [0, 1, 2, 6143, 6144, 6145, 20_000]) {
    const data = Float32Array.from(random.numbers(length));
    const text = [...base64(data)].join("");
    assert.deepEqual(new Float32Array(fromBase64(text).buffer), data);
  }
});

test("some timesteps and units of an array are those of the server", async () => {
  const here = world({ timesteps: 6, units: 4 });
  const { api } = await saved(here);
  const of = { start: 2, stop: 5, unit_start: 1, unit_stop: 3 };
  const [found] = (await api.arrays("", ["1.forward.c"], of)).values();
  const whole = /** @type {NDArray} */ (here.arrays.get("1.forward.c"));
  assert.deepEqual(found.shape, [3, 2]);
  assert.deepEqual(
    [...found.data],
    [2, 3, 4].flatMap((t) => [1, 2].map((unit) => whole.data[t * 4 + unit])),
  );
});

test("the weights of any unit are rows of its cell's", async () => {
  const here = world({ units: 4, input: 3 });
  const { api, session } = await saved(here);
  const of = { layer: 1, direction: "backward", unit: 2 };
  const found = await api.unitWeights(/** @type {any} */ (of));
  assert.deepEqual([...found.keys()], ["W", "U", "b"]);
  for (const [name, array] of found) {
    const all = /** @type {NDArray} */ (here.weights.get(`1.backward.${name}`));
    assert.deepEqual(array.shape, all.shape.slice(1));
    const size = array.shape[0] * array.shape[1];
    assert.deepEqual([...array.data], [...all.data.subarray(2 * size, 3 * size)]);
  }
  assert.ok(Object.keys(session.arrays).some((name) => name.startsWith("weights 0.forward")));
});

test("a hostile sentence ends no element and begins no comment", async () => {
  const text = "</script><script>alert(1)</script><!-- <!--><script> \u2028 \ud800";
  const here = world({ text });
  here.about.tokens[0].text = text;
  const { html, session } = await saved(here);
  assert.equal(session.recording.tokens[0].text, text);
  assert.equal(session.recording.text, text);
  const [, inside] = /** @type {RegExpExecArray} */ (/id="session">(.*?)<\/script>/s.exec(html));
  assert.ok(!inside.includes("<"));
  assert.equal(html.split("<script").length - 1, html.split("</script>").length - 1);
  assert.ok(!inert({ text }).includes("<"));
});

test("it answers for what it holds and says so of everything else", async () => {
  const here = world();
  const { api } = await saved(here);
  const { model, text, precision } = here.about;
  assert.equal((await api.record({ model, text, precision })).timesteps, here.about.timesteps);
  await assert.rejects(api.record({ model, text: "x", precision }), refused(/saved/));
  await assert.rejects(api.record({ model, text, precision: "float64" }), refused(/saved/));
  await assert.rejects(api.arrays("", ["7.forward.h"]), refused(/not in this file/));
  await assert.rejects(api.fresh({}), refused(/Making a network needs Gatescope/));
  await assert.rejects(api.sentences(new Blob()), refused(/Opening a file needs Gatescope/));
  assert.deepEqual(await api.models(), [here.state.models.get()[0]]);
  assert.equal((await api.about()).plotly_url, null);
});

test("units are put in order here, and clusters come along", async () => {
  const here = world({ units: 4 });
  here.state.sortOf.set("c");
  const { api } = await saved(here);
  const of = /** @type {const} */ ({ layer: 1, direction: "forward", unit: 0 });
  for (const sort_of of ["h", "c"]) {
    const { order } = await api.order("", { ...of, sort: "cluster", sort_of });
    assert.deepEqual(order, [2, 0, 1, 3]);
  }
  await assert.rejects(api.order("", { ...of, sort: "cluster", sort_of: "g" }), refused(/cluster/));
  const { order } = await api.order("", { ...of, sort: "mean", sort_of: "g" });
  assert.equal(order.length, 4);
});

test("a part begins with the states before it, in both directions", async () => {
  const here = world({ timesteps: 10, layers: 1, units: 3 });
  const { session, api } = await saved(here, { start: 4, stop: 7 });
  assert.deepEqual(session.part, { start: 4, stop: 7, of: 10 });
  assert.equal(session.recording.timesteps, 3);
  assert.deepEqual(
    session.recording.tokens.map(({ text }) => text),
    ["t4", "t5", "t6"],
  );
  const found = await api.arrays("", [...here.arrays.keys()]);
  const row = (/** @type {string} */ name, /** @type {number} */ t) => {
    const { shape, data } = /** @type {NDArray} */ (here.arrays.get(name));
    return [...data.subarray(t * shape[1], (t + 1) * shape[1])];
  };
  for (const name of [...here.arrays.keys()].filter((name) => !/_0$/.test(name))) {
    const array = /** @type {NDArray} */ (found.get(name));
    assert.deepEqual(
      [...array.data],
      [4, 5, 6].flatMap((t) => row(name, t)),
      name,
    );
    const described = session.recording.arrays.find((each) => each.name === name);
    assert.deepEqual(described?.shape, array.shape);
  }
  for (const state of ["h", "c"]) {
    assert.deepEqual(
      [...(found.get(`0.forward.${state}_0`)?.data ?? [])],
      row(`0.forward.${state}`, 3),
    );
    assert.deepEqual(
      [...(found.get(`0.backward.${state}_0`)?.data ?? [])],
      row(`0.backward.${state}`, 7),
    );
  }
});

test("a part at an end of the recording keeps its own initial state", async () => {
  const here = world({ timesteps: 10, layers: 1, units: 3 });
  const { api } = await saved(here, { start: 0, stop: 10 });
  const names = ["0.forward.h_0", "0.forward.c_0", "0.backward.h_0", "0.backward.c_0"];
  const found = await api.arrays("", names);
  for (const name of names) assert.deepEqual(found.get(name), here.arrays.get(name));
});

test("the file opens at the screen it was saved from", async () => {
  const here = world({ timesteps: 10, layers: 1 });
  here.state.step.set(6);
  here.state.unit.set(2);
  here.state.tab.set("cell");
  here.state.from.set(3);
  const whole = new URLSearchParams((await saved(here)).session.fragment.slice(1));
  assert.deepEqual(
    ["step", "unit", "tab", "from"].map((key) => whole.get(key)),
    ["6", "2", "cell", "3"],
  );
  const part = new URLSearchParams(
    (await saved(here, { start: 4, stop: 8 })).session.fragment.slice(1),
  );
  assert.deepEqual(
    ["step", "from"].map((key) => part.get(key)),
    ["2", null],
  );
  const away = await saved(here, { start: 0, stop: 5 });
  assert.equal(new URLSearchParams(away.session.fragment.slice(1)).get("step"), "4");
});

test("what is too large is refused before anything is fetched, and says how much would do", () => {
  const here = world({ timesteps: 10_000, nbytes: 320_000_000, layers: 1 });
  const plan = (/** @type {import('../../static/js/keep/offline.js').Part | null} */ part) =>
    planSession(here.state, here.recording, { charts: true, part });
  assert.match(plan(null).problem ?? "", /10,000 timesteps are too many.*at most 1,000 timesteps/);
  assert.match(plan({ start: 0, stop: 1001 }).problem ?? "", /1,001 timesteps/);
  assert.equal(plan({ start: 500, stop: 1500 }).problem, null);
  assert.equal(partOf(here.recording, { start: 500, stop: 1500 }).nbytes, 32_000_000);
});

test("weights that are too large stay behind, and that is said", () => {
  const { state, recording } = world({ input: 500, units: 1000, layers: 2, timesteps: 1 });
  state.layer.set(1);
  state.unit.set(7);
  const { weighed, missing } = planSession(state, recording, { charts: true, part: null });
  assert.deepEqual(weighed, [{ layer: 1, direction: "forward", unit: 7 }]);
  assert.match(missing ?? "", /layer 1 forward, unit 7/);
});

test("a page without its one place for a session is refused", () => {
  const session = /** @type {any} */ ({});
  assert.throws(() => assemble("<html></html>", session, []), /has not one/);
  assert.throws(() => assemble(PAGE + PAGE, session, []), /has not one/);
});

test("cancelling ends it at once", async () => {
  const { state, api, recording } = world();
  const request = new AbortController();
  const options = { charts: false, part: null, signal: request.signal };
  const onProgress = () => request.abort();
  await assert.rejects(saveSession(state, api, recording, { ...options, onProgress }), {
    name: "AbortError",
  });
});
