import assert from "node:assert/strict";
import { test } from "node:test";

import { sortFiles } from "../../static/js/models/files.js";
import { bytes } from "../../static/js/format.js";
import {
  impossible,
  moduleLine,
  parameterCount,
  splitCode,
  stackLine,
} from "../../static/js/pytorch.js";
import { rolesOf, treeOf } from "../../static/js/models/tensors.js";

/** @import {Module, Proposal} from '../../static/js/types.js' */

/** @param {Partial<Module>} [options] @returns {Module} */
const lstm = (options) => ({
  kind: "LSTM",
  input_size: 4,
  hidden_size: 6,
  num_layers: 1,
  bias: true,
  bidirectional: false,
  proj_size: 0,
  ...options,
});

test("strings go with weights, alone a text is sentences, and a table is one", () => {
  for (const [names, kinds] of /** @type {[string[], string[]][]} */ ([
    [["a.pt"], ["weights"]],
    [
      ["vocab.txt", "a.SAFETENSORS"],
      ["vocabulary", "weights"],
    ],
    [
      ["a.onnx", "v.json", "t.conllu"],
      ["weights", "vocabulary", "vocabulary"],
    ],
    [["a.txt"], ["sentences"]],
    [["v.json"], ["vocabulary"]],
    [["a.csv"], ["table"]],
    [["A.NPY"], ["table"]],
    [["no-extension"], ["weights"]],
    [["a.pt.csv"], ["table"]],
  ])) {
    assert.deepEqual(sortFiles(names), kinds, String(names));
  }
  assert.deepEqual(sortFiles(["a.txt", "b.csv", "c.npz"], { opening: true }), [
    "vocabulary",
    "vocabulary",
    "weights",
  ]);
  // Where sentences are asked for, only what is known to be something else is not.
  assert.deepEqual(sortFiles(["notes", "a.md", "a.csv", "v.json"], { otherwise: "sentences" }), [
    "sentences",
    "sentences",
    "table",
    "sentences",
  ]);
});

test("a module is written as in Python, without what nn.LSTM takes by itself", () => {
  assert.equal(moduleLine(lstm()), "nn.LSTM(4, 6)");
  assert.equal(
    moduleLine(lstm({ num_layers: 2, bias: false, bidirectional: true, proj_size: 3 })),
    "nn.LSTM(4, 6, num_layers=2, bias=False, bidirectional=True, proj_size=3)",
  );
  const modules = [lstm(), lstm({ kind: "BackwardLSTM" }), lstm({ kind: "LSTMCell" })];
  assert.equal(
    stackLine({ modules, listed: true, layers: [] }),
    "nn.LSTM(4, 6) → nn.LSTM(4, 6), read backward → nn.LSTMCell(4, 6)",
  );
});

test("parameters are counted as PyTorch has them", () => {
  // sum(p.numel() for p in nn.LSTM(…).parameters())
  assert.equal(parameterCount(lstm()), 288);
  assert.equal(parameterCount(lstm({ num_layers: 2, bidirectional: true })), 1536);
  assert.equal(parameterCount(lstm({ bias: false })), 240);
  assert.equal(parameterCount(lstm({ proj_size: 2, num_layers: 2, bidirectional: true })), 816);
});

test("sizes that PyTorch refuses are explained, and no others", () => {
  assert.equal(impossible({ ...lstm({ proj_size: 5 }), seed: 0 }), null);
  for (const [name, values] of Object.entries({
    input_size: [0, -1, 1.5, NaN],
    hidden_size: [0, NaN],
    num_layers: [0, 0.5],
    proj_size: [6, 7, -1, NaN],
    seed: [-1, 0.5, NaN, 2 ** 60],
  })) {
    for (const value of values) {
      const wrong = impossible({ ...lstm(), seed: 0, [name]: value });
      assert.match(String(wrong), new RegExp(name), `${name} = ${value}`);
    }
  }
});

test("a hint that ends in code is cut where the code begins", () => {
  assert.deepEqual(splitCode("an LSTM: four gates"), ["an LSTM: four gates", []]);
  assert.deepEqual(
    splitCode('write there: model = torch.load("a")\n  torch.save(model.state_dict(), "b")'),
    ["write there:", ['model = torch.load("a")', 'torch.save(model.state_dict(), "b")']],
  );
});

test("every tensor is one leaf of the tree, wherever the dots are", () => {
  const names = ["a", "a.b", "a.b.c", "", ".", "a..b", "x.y.z"];
  const root = treeOf(names.map((name) => ({ name, shape: [1], dtype: "F32" })));
  /** @param {typeof root} at @returns {string[]} */
  const leaves = (at) => [
    ...(at.tensor ? [at.tensor.name] : []),
    ...[...at.below.values()].flatMap(leaves),
  ];
  assert.deepEqual(leaves(root).sort(), [...names].sort());
  assert.equal(root.count, names.length);
});

test("a tensor's role follows from what was chosen", () => {
  const field = (/** @type {string} */ name, /** @type {string} */ value) => ({
    name,
    value,
    question: "",
    options: [],
    asked: false,
    why: "",
  });
  const role = rolesOf(
    /** @type {Proposal} */ ({
      fields: [field("embedding", "emb.weight"), field("head", "fc1.weight + out")],
      unused: ["other.weight"],
      lstm: { modules: [], layers: [], listed: false },
      notes: [],
      problem: null,
    }),
  );
  const roles = ["emb.weight", "fc1.weight", "fc1.bias", "out", "other.weight", "l.weight_ih_l0"];
  assert.deepEqual(roles.map(role), ["embedding", "head", "head", "head", "not used", "LSTM"]);
});

test("a file's size has a unit people know", () => {
  assert.equal(bytes(0), "0 bytes");
  assert.equal(bytes(999), "999 bytes");
  assert.equal(bytes(47_240), "47.2 kB");
  assert.equal(bytes(200_000_000), "200 MB");
  assert.equal(bytes(5e12), "5,000 GB");
});
