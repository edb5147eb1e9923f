import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import { keepPinned, pin, pinModel, unpin } from "../../static/js/pinned.js";
import { Recording } from "../../static/js/recording.js";
import { createState } from "../../static/js/state.js";
import { asApi, deferred, describe, fill, settle } from "./worlds.js";

/** @import {Page} from '../../static/js/page.js' */
/** @import {RecordingPublic} from '../../static/js/types.js' */

/** A page that shows "a b" read by the tagger, and a server that records whatever it is asked. */
function createWorld() {
  const state = createState();
  /** @type {string[]} */
  const asked = [];
  /** @type {unknown[]} */
  const reported = [];
  const server = {
    /** @param {{model: string, text: string}} body @returns {Promise<RecordingPublic>} */
    record: async ({ model, text }) => describe({ id: `${model}: ${text}`, model, text }),
  };
  const api = asApi({
    record: (body) => {
      asked.push(`${body.model}: ${body.text}`);
      return server.record(body);
    },
    arrays: async (id, names) => {
      const arrays = fill(describe({ id }));
      return new Map(names.map((name) => [name, /** @type {any} */ (arrays.get(name))]));
    },
  });
  /** @param {string} text @param {string} [model] */
  const show = (text, model = "tagger") =>
    state.recording.set(
      new Recording(describe({ id: `${model}: ${text}`, model, text }), api, () => {}),
    );
  show("a b");
  const actions = { report: (/** @type {unknown} */ error) => reported.push(error) };
  keepPinned(/** @type {Page} */ (/** @type {unknown} */ ({ state, api, actions })));
  const pinned = () => state.pinned.get()?.about.id ?? null;
  return { state, server, asked, reported, show, pinned };
}

test("a pinned run stays while others are recorded, and goes when it is unpinned", async () => {
  const { state, asked, show, pinned } = createWorld();
  assert.equal(pinned(), null);
  pin(state);
  await settle();
  assert.equal(pinned(), "tagger: a b");
  show("a c");
  await settle();
  assert.equal(pinned(), "tagger: a b");
  assert.deepEqual(asked, []); // it was on the screen
  show("a d");
  await settle();
  assert.equal(pinned(), "tagger: a b");
  unpin(state);
  await settle();
  assert.equal(pinned(), null);
});

test("a pinned model reads whatever is on the screen", async () => {
  const { state, asked, show, pinned } = createWorld();
  pinModel(state, "tagger@20");
  await settle();
  assert.equal(pinned(), "tagger@20: a b");
  show("a c");
  await settle();
  assert.equal(pinned(), "tagger@20: a c");
  assert.deepEqual(asked, ["tagger@20: a b", "tagger@20: a c"]);
});

test("a pinned text is read by whatever model is on the screen", async () => {
  const { state, show, pinned } = createWorld();
  state.pinText.set("x y");
  await settle();
  assert.equal(pinned(), "tagger: x y");
  show("a b", "chars");
  await settle();
  assert.equal(pinned(), "chars: x y");
});

test("an answer that comes too late is not shown, and a refusal is reported and asked again", async () => {
  const { state, server, reported, show, pinned } = createWorld();
  const late = /** @type {ReturnType<typeof deferred<RecordingPublic>>} */ (deferred());
  const { record } = server;
  server.record = () => late.promise;
  pinModel(state, "slow");
  await settle();
  assert.equal(pinned(), null);
  server.record = record;
  pinModel(state, "quick");
  await settle();
  late.resolve(describe({ id: "slow: a b", model: "slow", text: "a b" }));
  await settle();
  assert.equal(pinned(), "quick: a b");

  server.record = async () => {
    throw new ApiError({ title: "Gone", status: 404, detail: "No such model." });
  };
  pinModel(state, "gone");
  await settle();
  assert.equal(pinned(), null);
  assert.equal(reported.length, 1);
  server.record = record;
  show("a c");
  await settle();
  assert.equal(pinned(), "gone: a c");
});
