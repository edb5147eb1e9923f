import assert from "node:assert/strict";
import { test } from "node:test";

import { createState, modelOf, withCheckpoints } from "../../static/js/state.js";
import { model } from "./worlds.js";

test("after each model come its checkpoints, which are models of their own", () => {
  const poems = {
    ...model("poems", []),
    title: "Poems",
    checkpoints: [
      { id: "poems@0", digest: "a", step: 0, of: 90, validation: 3 },
      { id: "poems@20", digest: "b", step: 20, of: 90, validation: 2 },
    ],
  };
  const state = createState();
  state.models.set(withCheckpoints([poems, model("other", [])]));
  const ids = state.models.get().map(({ id }) => id);
  assert.deepEqual(ids, ["poems", "poems@0", "poems@20", "other"]);
  const early = modelOf(state, "poems@20");
  assert.equal(early?.title, "Poems, step 20");
  assert.equal(early?.checkpoint_of, "poems");
  assert.equal(early?.digest, "b");
  assert.deepEqual(early?.checkpoints, []);
  assert.deepEqual(early?.lstm, poems.lstm);
});
