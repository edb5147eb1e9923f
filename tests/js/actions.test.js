import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { createActions } from "../../static/js/actions.js";
import { ApiError } from "../../static/js/api.js";
import { SPEEDS, course, createState, selectedTimestep, steps } from "../../static/js/state.js";
import { layersAt } from "../../static/js/time/transport.js";
import { createRandom } from "./random.js";
import {
  QUANTITIES,
  anyStack,
  asApi,
  deferred,
  describe,
  fill,
  model,
  quantities,
  settle,
} from "./worlds.js";

/** @import {Sizes} from './worlds.js' */
/** @import {Api} from '../../static/js/api.js' */
/** @import {Direction, NDArray, RecordingPublic} from '../../static/js/types.js' */

/** More than the page fetches whole. */
const LARGE = 1e9;

/**
 * A page without a screen and its server.
 * @param {Sizes} [sizes]  of every recording; its id is its text
 */
function createWorld(sizes = {}) {
  const state = createState();
  state.models.set([model("tagger", ["The sun is shiny"]), model("chars", ["To be", "or not"])]);
  state.quantities.set(quantities());
  state.model.set("tagger");
  state.text.set("a b c d e");
  /** @type {{texts: string[], names: string[][], weights: any[], signals: AbortSignal[]}} */
  const asked = { texts: [], names: [], weights: [], signals: [] };
  const server = {
    /** @param {Parameters<Api["record"]>[0]} body @param {Parameters<Api["record"]>[2]} [tell] @returns {Promise<RecordingPublic>} */
    record: async (body, tell) =>
      describe({ ...sizes, id: body.text, model: body.model, text: body.text }),
    /** @param {string} id @param {string[]} names @returns {Promise<Map<string, NDArray>>} */
    arrays: async (id, names) => {
      const arrays = fill(describe({ ...sizes, id }));
      return new Map(names.map((name) => [name, /** @type {NDArray} */ (arrays.get(name))]));
    },
    /** @param {{unit: number}} of @returns {Promise<Map<string, NDArray>>} */
    unitWeights: async (of) => {
      const one = { shape: [1, 1], data: new Float32Array([of.unit]) };
      return new Map([
        ["W", one],
        ["U", one],
        ["b", one],
      ]);
    },
  };
  const api = asApi({
    record: (body, signal, tell) => {
      asked.texts.push(body.text);
      if (signal) asked.signals.push(signal);
      return server.record(body, tell);
    },
    arrays: (id, names) => {
      asked.names.push(names);
      return server.arrays(id, names);
    },
    unitWeights: (of) => {
      asked.weights.push(of);
      return server.unitWeights(of);
    },
    sentences: async () => ({ encoding: "utf-8", sentences: ["one", "two"] }),
  });
  /** @type {Set<(now: number) => boolean>} */
  const tickers = new Set();
  const actions = createActions(state, api, { tick: (ticker) => tickers.add(ticker) });
  return {
    state,
    actions,
    asked,
    server,
    api,
    tickers,
    /** @param {number} now */
    frame: (now) => {
      for (const ticker of [...tickers]) if (!ticker(now)) tickers.delete(ticker);
    },
    recording: () => {
      const recording = state.recording.get();
      assert.ok(recording);
      return recording;
    },
    select: (/** @type {number} */ layer, /** @type {Direction} */ direction) =>
      actions.selectCell({ layer, direction }),
  };
}

test("a recording is shown with all the page needs of it, and the page is at rest again", async () => {
  const { state, actions, recording, asked } = createWorld();
  const busy = actions.record();
  assert.equal(state.status.get().kind, "busy");
  await busy;
  assert.deepEqual(state.status.get(), { kind: "idle" });
  assert.equal(recording().about.text, "a b c d e");
  assert.deepEqual(asked.texts, ["a b c d e"]);
  for (const name of recording().overviewNames()) assert.ok(recording().array(name), name);
  for (const q of QUANTITIES)
    assert.ok(recording().quantity(q, { layer: 0, direction: "forward" }), q);
  assert.ok(state.arrived.get() > 0);
});

test("before it is shown the selection lies inside the recording, whatever was asked for", async () => {
  for (let seed = 1; seed < 100; seed++) {
    const random = createRandom(seed);
    const sizes = {
      timesteps: random.integer(1, 5),
      units: random.integer(1, 5),
      layers: random.integer(1, 3),
      bidirectional: random.flip(),
    };
    const { state, actions } = createWorld(sizes);
    state.order.set(random.pick(["sentence", "processing"]));
    const at = {
      layer: random.integer(0, 6),
      direction: random.pick(/** @type {const} */ (["forward", "backward"])),
      unit: random.integer(0, 12),
      step: random.integer(0, 30),
    };
    /** What the selection is at the moment the recording appears. */
    let shown = {};
    state.recording.subscribe((recording) => {
      assert.ok(recording);
      shown = {
        layer: state.layer.get(),
        direction: state.direction.get(),
        unit: state.unit.get(),
        step: state.step.get(),
      };
    });
    await actions.record(at);
    const count =
      state.order.get() === "processing" && sizes.bidirectional
        ? sizes.layers * sizes.timesteps
        : sizes.timesteps;
    assert.deepEqual(shown, {
      layer: Math.min(at.layer, sizes.layers - 1),
      direction: sizes.bidirectional ? at.direction : "forward",
      unit: Math.min(at.unit, sizes.units - 1),
      step: Math.min(at.step, count - 1),
    });
  }
});

test("recording again starts at the first step and keeps the selected cell and unit", async () => {
  const { state, actions, select } = createWorld();
  await actions.record();
  select(1, "backward");
  actions.selectUnit(3);
  await actions.recordText("another one");
  assert.equal(state.step.get(), 0);
  assert.deepEqual(
    [state.layer.get(), state.direction.get(), state.unit.get()],
    [1, "backward", 3],
  );
});

test("a later recording cancels the earlier one, and a late answer is never shown", async () => {
  for (const stage of ["record", "arrays"]) {
    for (const ending of ["answers", "fails"]) {
      for (const lateLast of [true, false]) {
        const { state, actions, server, asked } = createWorld();
        const { record, arrays } = server;
        const late = /** @type {ReturnType<typeof deferred<void>>} */ (deferred());
        const later = /** @type {ReturnType<typeof deferred<void>>} */ (deferred());
        server.record = async (body) => {
          if (stage === "record") await (body.text === "early" ? late : later).promise;
          return record(body);
        };
        server.arrays = async (id, names) => {
          if (stage === "arrays") await (id === "early" ? late : later).promise;
          return arrays(id, names);
        };
        /** @type {string[]} */
        const shown = [];
        state.recording.subscribe((recording) => shown.push(recording?.about.text ?? ""));
        const both = [actions.recordText("early")];
        await settle();
        both.push(actions.recordText("later"));
        assert.deepEqual(
          asked.signals.map(({ aborted }) => aborted),
          [true, false],
        );
        for (const one of lateLast ? [later, late] : [late, later]) {
          if (one === late && ending === "fails")
            one.reject(new ApiError({ title: "x", status: 500, detail: "late" }));
          else one.resolve(undefined);
          await settle();
          if (one === late && !lateLast)
            assert.equal(state.status.get().kind, "busy", "the later one is still at work");
        }
        await Promise.all(both);
        assert.deepEqual(shown, ["later"], `${stage} ${ending} ${lateLast}`);
        assert.deepEqual(state.status.get(), { kind: "idle" });
      }
    }
  }
});

test("while it is recorded it is said how far that is; cancelling leaves what is on the screen", async () => {
  const { state, actions, server, recording, asked } = createWorld();
  await actions.record();
  const old = recording();
  const { record } = server;
  const answer = /** @type {ReturnType<typeof deferred<void>>} */ (deferred());
  /** @type {(progress: {done: number, of: number, what: string}) => void} */
  let say = () => {};
  server.record = async (body, tell) => {
    if (tell) say = tell;
    await answer.promise;
    return record(body);
  };
  const busy = actions.recordText("a longer one");
  say({ done: 0, of: 0, what: "waiting" });
  say({ done: 3, of: 12, what: "layer 1 backward" });
  const status = state.status.get();
  assert.ok(status.kind === "busy" && status.message.includes("layer 1 backward"));
  assert.equal(status.part, 0.25);
  status.cancel();
  assert.equal(asked.signals.at(-1)?.aborted, true);
  assert.deepEqual(state.status.get(), { kind: "idle" });
  say({ done: 4, of: 12, what: "too late" });
  answer.resolve(undefined);
  await busy;
  assert.deepEqual(state.status.get(), { kind: "idle" });
  assert.equal(recording(), old);
});

test("what got no answer can be tried again where one was; what was refused cannot", async () => {
  for (const [problem, again] of /** @type {const} */ ([
    [0, true],
    [429, true],
    [503, true],
    [404, false],
    [422, false],
  ])) {
    const { state, actions, server, recording } = createWorld();
    const { record } = server;
    await actions.record({ step: 3, layer: 1, direction: "backward", unit: 2 });
    state.text.set("another");
    server.record = () =>
      Promise.reject(new ApiError({ title: "No", status: problem, detail: "No." }));
    await actions.record();
    const status = state.status.get();
    assert.ok(status.kind === "problem");
    assert.equal(Boolean(status.action), again, String(problem));
    if (!status.action) continue;
    server.record = record;
    await status.action.run();
    assert.equal(recording().about.text, "another");
    const at = [state.step.get(), state.layer.get(), state.direction.get(), state.unit.get()];
    assert.deepEqual(at, [3, 1, "backward", 2]);
  }
});

test("a failed recording says what came, what was expected and what exists, each once, and leaves the old one", async () => {
  const { state, actions, server, recording } = createWorld();
  await actions.record();
  const old = recording();
  for (const detail of [
    "There is no such model.",
    "Came: opus. Expected: a model. There are: tagger, chars.",
  ]) {
    server.record = () =>
      Promise.reject(
        new ApiError({
          title: "Unknown model",
          status: 404,
          detail,
          came: "opus",
          expected: "a model",
          exists: ["tagger", "chars"],
        }),
      );
    await actions.record();
    const status = state.status.get();
    assert.equal(status.kind, "problem");
    if (status.kind !== "problem") continue;
    const said = `${status.message} ${status.hint ?? ""}`;
    assert.ok(said.includes(detail));
    for (const part of ["opus", "a model", "tagger", "chars"])
      assert.equal(said.split(part).length, 2, `${part} in ${said}`);
    assert.equal(recording(), old);
  }
});

test("a server that is gone is a problem of the connection, a mistake of the page is one of the page", async () => {
  const errors = mock.method(console, "error", () => {});
  const { state, actions, server } = createWorld();
  server.record = () =>
    Promise.reject(
      new ApiError({ title: "No answer", status: 0, detail: "The server does not answer." }),
    );
  await actions.record();
  const lost = state.status.get();
  assert.ok(lost.kind === "problem" && lost.message === "The server does not answer.");
  assert.equal(errors.mock.callCount(), 0);
  server.record = () => Promise.reject(new TypeError("x is not a function"));
  await actions.record();
  const mistake = state.status.get();
  assert.ok(
    mistake.kind === "problem" &&
      mistake.message === "x is not a function" &&
      mistake.title !== lost.title,
  );
  assert.equal(errors.mock.callCount(), 1);
  errors.mock.restore();
});

test("an aborted request is no problem", () => {
  const { state, actions } = createWorld();
  actions.report(new DOMException("aborted", "AbortError"));
  assert.deepEqual(state.status.get(), { kind: "idle" });
});

test("a small recording is fetched whole in the background, each array once", async () => {
  const { actions, asked } = createWorld();
  await actions.record();
  assert.deepEqual(asked.names.flat().sort(), [...fill(describe()).keys()].sort());
});

test("of a large recording only the initial states are fetched whole, whatever is selected", async () => {
  const { actions, asked, recording, select, state } = createWorld({ nbytes: LARGE });
  await actions.record();
  select(1, "backward");
  actions.move(2);
  await settle();
  assert.equal(asked.names.length, 1, "one request");
  assert.deepEqual(
    asked.names[0].sort(),
    [
      ...recording().rows.flatMap(({ layer, direction }) => [
        `${layer}.${direction}.c_0`,
        `${layer}.${direction}.h_0`,
      ]),
    ].sort(),
  );
  assert.ok(state.unitWeights.get(), "the weights of a unit are small");
});

/** Fail every request for arrays but the first, with which a recording is shown. @param {ReturnType<typeof createWorld>} world */
function failAfterShowing({ server }) {
  const { arrays } = server;
  let first = true;
  server.arrays = (id, names) => {
    if (!first)
      return Promise.reject(new ApiError({ title: "No answer", status: 0, detail: "gone" }));
    first = false;
    return arrays(id, names);
  };
  return () => void (server.arrays = arrays);
}

test("another row of the network brings its arrays and the weights of its unit", async () => {
  const world = createWorld();
  const { state, actions, recording, asked, select } = world;
  const mend = failAfterShowing(world);
  await actions.record();
  assert.deepEqual(state.status.get(), { kind: "idle" }, "what nobody asked for may fail unseen");
  mend();
  asked.names = [];
  actions.selectUnit(2);
  await settle();
  select(1, "backward");
  assert.equal(
    state.unitWeights.get(),
    null,
    "those of the old row are not shown beside the new one",
  );
  await settle();
  for (const q of QUANTITIES)
    assert.ok(recording().quantity(q, { layer: 1, direction: "backward" }), q);
  const { model_digest: digest } = recording().about;
  assert.deepEqual(asked.weights.at(-1), {
    model: "tagger",
    digest,
    layer: 1,
    direction: "backward",
    unit: 2,
    precision: "float32",
  });
  assert.ok(state.unitWeights.get());
  const names = asked.names.flat();
  assert.equal(new Set(names).size, names.length, "nothing is fetched twice");
});

/** Longer than it takes to be flipping through units. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 90));

test("the weights shown are those of the unit selected last, in whatever order they come", async () => {
  const { state, actions, server } = createWorld({ units: 9 });
  await actions.record();
  const { unitWeights } = server;
  /** @type {Map<number, () => void>} */
  const waiting = new Map();
  server.unitWeights = async (of) => {
    const gate = /** @type {ReturnType<typeof deferred<void>>} */ (deferred());
    waiting.set(of.unit, () => gate.resolve(undefined));
    await gate.promise;
    return unitWeights(of);
  };
  for (const unit of [3, 5, 7]) {
    actions.selectUnit(unit);
    await rest();
  }
  for (const unit of [7, 3, 5]) {
    waiting.get(unit)?.();
    await settle();
    assert.equal(state.unitWeights.get()?.W.data[0], 7);
  }
});

test("of units that are flipped through, weights are asked for the first and the last", async () => {
  const { state, actions, server } = createWorld({ units: 9 });
  await actions.record();
  const { unitWeights } = server;
  /** @type {number[]} */
  const units = [];
  server.unitWeights = async (of) => {
    units.push(of.unit);
    return unitWeights(of);
  };
  for (let unit = 1; unit < 9; unit++) actions.selectUnit(unit);
  await rest();
  assert.deepEqual(units, [1, 8]);
  assert.equal(state.unitWeights.get()?.W.data[0], 8);
});

test("a selected unit lies inside the layer, and the same one again asks for nothing", async () => {
  const { state, actions, asked } = createWorld({ units: 4 });
  actions.selectUnit(1);
  assert.equal(state.unit.get(), 0, "there is nothing to select in before a recording");
  await actions.record();
  for (const [given, unit] of [
    [2, 2],
    [99, 3],
    [-5, 0],
    [1.4, 1],
    [NaN, 1],
    [Infinity, 1],
  ]) {
    actions.selectUnit(given);
    assert.equal(state.unit.get(), unit, String(given));
  }
  const { length } = asked.weights;
  actions.selectUnit(1);
  assert.equal(asked.weights.length, length);
});

test("a selection that cannot be fetched is a problem on the screen, and can be tried again", async () => {
  const world = createWorld();
  const { state, actions, recording, select } = world;
  const mend = failAfterShowing(world);
  await actions.record();
  select(1, "forward");
  await settle();
  assert.equal(state.status.get().kind, "problem");
  mend();
  select(1, "forward");
  await settle();
  assert.ok(recording().quantity("c", { layer: 1, direction: "forward" }));
});

test("stepping stays inside the recording and stops playback", async () => {
  const { state, actions } = createWorld({ timesteps: 5 });
  actions.move(1);
  assert.equal(state.step.get(), 0);
  await actions.record();
  for (const [by, step] of [
    [1, 1],
    [10, 4],
    [-1, 3],
    [-Infinity, 0],
    [-1, 0],
    [Infinity, 4],
  ]) {
    state.playing.set(true);
    actions.move(by);
    assert.equal(state.step.get(), step);
    assert.equal(state.playing.get(), false);
  }
});

test("in processing order the selection follows the layer that is being computed", async () => {
  const { state, actions } = createWorld({ timesteps: 3, layers: 3 });
  await actions.record({ direction: "backward" });
  actions.setOrder("processing");
  actions.move(-Infinity);
  for (let step = 0; step < 9; step++) {
    assert.equal(state.step.get(), step);
    assert.equal(state.layer.get(), Math.floor(step / 3));
    assert.equal(state.direction.get(), "backward");
    actions.move(1);
  }
  actions.move(-Infinity);
  assert.equal(state.layer.get(), 0);
});

test("another order, row or direction leaves the timestep where it is", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const random = createRandom(seed);
    const { state, actions, recording, select } = createWorld({
      timesteps: 6,
      layers: 3,
      bidirectional: random.next() < 0.8,
    });
    await actions.record();
    for (let n = 0; n < 12; n++) {
      const timestep = random.integer(0, 5);
      actions.selectTimestep(timestep);
      assert.equal(selectedTimestep(state, recording()), timestep);
      if (random.flip()) actions.setOrder(random.pick(["sentence", "processing"]));
      else if (random.flip()) actions.moveRow(random.pick([-1, 1]));
      else select(random.integer(0, 2), random.pick(recording().layers[0].directions));
      assert.equal(selectedTimestep(state, recording()), timestep);
      assert.ok(state.step.get() >= 0 && state.step.get() < steps(state, recording()));
    }
  }
});

test("wherever one goes in a stack whose layers differ, the cell and the unit are there", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const random = createRandom(seed);
    const { state, actions, recording } = createWorld({ timesteps: 4, ...anyStack(random) });
    await actions.record({ unit: 99 });
    for (let n = 0; n < 20; n++) {
      random.pick([
        () => actions.moveRow(random.pick([-1, 1])),
        () => actions.setOrder(random.pick(["sentence", "processing"])),
        () => actions.move(random.integer(-6, 6)),
        () => actions.selectUnit(random.integer(-3, 9)),
        () => actions.selectCell(random.pick(recording().rows)),
      ])();
      const layer = recording().layers[state.layer.get()];
      assert.ok(layer?.directions.includes(state.direction.get()));
      assert.ok(state.unit.get() >= 0 && state.unit.get() < layer.hidden_size);
      const [first, last] = layersAt(course(state, recording()), state.step.get());
      assert.ok(state.layer.get() >= first && state.layer.get() <= last, "it is being computed");
    }
  }
});

test("the rows of the network are gone through from top to bottom and back", async () => {
  const { state, actions } = createWorld({ layers: 2 });
  actions.moveRow(1);
  await actions.record({ layer: 1, direction: "forward" });
  const at = () => `${state.layer.get()} ${state.direction.get()}`;
  const down = ["1 forward", "1 backward", "0 forward", "0 backward", "0 backward"];
  for (const row of down) {
    assert.equal(at(), row);
    actions.moveRow(1);
  }
  for (const row of [...down].reverse().slice(1)) {
    assert.equal(at(), row);
    actions.moveRow(-1);
  }
  assert.equal(at(), "1 forward");
});

test("playback goes on by its speed, however the frames fall, and stops at the end", async () => {
  for (let seed = 1; seed < 60; seed++) {
    const random = createRandom(seed);
    const timesteps = random.integer(2, 60);
    const { state, actions, frame, tickers } = createWorld({ timesteps });
    await actions.record();
    const speed = random.pick(SPEEDS);
    state.speed.set(speed);
    actions.togglePlay();
    const start = random.number(1, 1e6);
    let now = start;
    for (let frames = 0; state.playing.get(); frames++) {
      frame(now);
      const due = ((now - start) * speed) / 1000;
      assert.ok(
        Math.abs(state.step.get() - Math.min(timesteps - 1, Math.floor(due))) <=
          (due % 1 < 1e-6 || due % 1 > 1 - 1e-6 ? 1 : 0),
      );
      assert.ok(frames < 1e5);
      now += random.number(1, 200);
    }
    assert.equal(state.step.get(), timesteps - 1);
    assert.equal(tickers.size, 0, "no frame is wanted any more");
  }
});

test("playing from the end starts again, and playing twice pauses", async () => {
  const { state, actions, frame, tickers } = createWorld({ timesteps: 4 });
  actions.togglePlay();
  assert.equal(state.playing.get(), false, "there is nothing to play");
  await actions.record();
  actions.move(Infinity);
  actions.togglePlay();
  assert.deepEqual([state.playing.get(), state.step.get()], [true, 0]);
  actions.togglePlay();
  assert.equal(state.playing.get(), false);
  frame(10);
  assert.equal(tickers.size, 0);
});

test("pausing and playing again between two frames does not double the speed", async () => {
  const { state, actions, frame } = createWorld({ timesteps: 50 });
  await actions.record();
  state.speed.set(1);
  for (let n = 0; n < 5; n++) actions.togglePlay();
  assert.equal(state.playing.get(), true);
  for (let now = 1000; now <= 11_000; now += 100) frame(now);
  assert.equal(state.step.get(), 10);
});

test("a new recording, a step by hand and a click on a token stop playback", async () => {
  const { state, actions } = createWorld();
  await actions.record();
  for (const stop of [
    () => void actions.record(),
    () => actions.move(1),
    () => actions.selectTimestep(0),
    () => actions.pause(),
  ]) {
    await settle();
    if (!state.playing.get()) actions.togglePlay();
    assert.equal(state.playing.get(), true);
    stop();
    assert.equal(state.playing.get(), false);
  }
});

test("another model brings its first example in place of an example or of nothing, never of a sentence of one's own", async () => {
  const { state, actions, asked } = createWorld();
  for (const [before, after] of [
    ["The sun is shiny", "To be"],
    ["", "To be"],
    [" \n", "To be"],
    ["A sentence of my own", "A sentence of my own"],
    ["or not", "or not"],
  ]) {
    state.model.set("tagger");
    state.text.set(before);
    await actions.chooseModel("chars");
    assert.equal(state.text.get(), after);
    assert.equal(state.model.get(), "chars");
    assert.equal(asked.texts.at(-1), after);
  }
});

test("a file's sentences are offered; one that is too large is refused before it is sent", async () => {
  const { state, actions, api } = createWorld();
  const sent = mock.method(api, "sentences");
  state.about.set({
    version: "1",
    plotly: null,
    plotly_url: null,
    limits: {
      max_characters: 9,
      max_table_characters: 9,
      max_tokens: 9,
      max_file_bytes: 1000,
      max_checkpoint_bytes: 1000,
      max_vocabulary_bytes: 1000,
      max_tab_bytes: 1000,
    },
  });
  assert.equal(await actions.readFile(new File(["x".repeat(1001)], "long.txt")), false);
  const status = state.status.get();
  assert.ok(status.kind === "problem" && /long\.txt.*1,001.*1,000/.test(status.message));
  assert.equal(sent.mock.callCount(), 0);
  assert.equal(await actions.readFile(new File(["x".repeat(1000)], "short.txt")), true);
  assert.deepEqual(state.sentences.get(), { name: "short.txt", sentences: ["one", "two"] });
  assert.deepEqual(state.status.get(), { kind: "idle" });
});

test("a file the server cannot read is a problem, and the sentences there were stay", async () => {
  const { state, actions, api } = createWorld();
  await actions.readFile(new File(["a"], "good.txt"));
  mock.method(api, "sentences", () =>
    Promise.reject(new ApiError({ title: "No text", status: 422, detail: "This is no text." })),
  );
  assert.equal(await actions.readFile(new File(["b"], "bad.txt")), false);
  assert.equal(state.status.get().kind, "problem");
  assert.equal(state.sentences.get()?.name, "good.txt");
});
