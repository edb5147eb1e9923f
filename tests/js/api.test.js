import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, createApi } from "../../static/js/api.js";
import { forAll } from "./random.js";

/** @typedef {{url: string, init: RequestInit | undefined}} Call */

/**
 * An api whose server gives one answer, and the calls that reached it.
 * @param {() => Response | Promise<Response>} answer
 */
function createWorld(answer) {
  /** @type {Call[]} */
  const calls = [];
  const api = createApi(async (url, init) => {
    calls.push({ url: String(url), init });
    return answer();
  });
  return { api, calls };
}

const empty = () => new Response(JSON.stringify({}));

/** A safetensors file with nothing in it. */
const noArrays = () => new Response(new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125]));

/** The ApiError an operation ends with. @param {() => Promise<unknown>} operation */
async function problemOf(operation) {
  /** @type {unknown} */
  let caught;
  await operation().catch((error) => (caught = error));
  assert.ok(caught instanceof ApiError, String(caught));
  return caught;
}

test("a problem of the server becomes an ApiError that keeps every member", async () => {
  const problem = {
    type: "about:blank",
    title: "Unknown model",
    status: 404,
    detail: "There is no model “x”.",
    came: "x",
    expected: "a model",
    exists: ["tagger", "chars"],
  };
  const { api } = createWorld(
    () =>
      new Response(JSON.stringify(problem), {
        status: 404,
        headers: { "Content-Type": "application/problem+json" },
      }),
  );
  const error = await problemOf(() => api.models());
  assert.equal(error.message, problem.detail);
  assert.deepEqual(error.problem, problem);
});

test("an answer that went wrong always has a message and its status, whatever its body", async () => {
  for (const body of ["", "<h1>Bad gateway</h1>", "null", "{}", '{"error": "x"}', "[]", "{"]) {
    for (const statusText of ["", "Bad Gateway"]) {
      const { api } = createWorld(() => new Response(body, { status: 502, statusText }));
      const error = await problemOf(() => api.about());
      assert.match(error.message, /502/, `${body} ${statusText}`);
      assert.equal(error.problem.status, 502);
    }
  }
});

test("no answer is an ApiError with status 0", async () => {
  const { api } = createWorld(() => Promise.reject(new TypeError("fetch failed")));
  const error = await problemOf(() => api.quantities());
  assert.equal(error.problem.status, 0);
  assert.match(error.message, /does not answer/);
});

test("an answer that breaks off is no answer", async () => {
  const broken = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"version": '));
          controller.error(new TypeError("terminated"));
        },
      }),
    );
  const { api } = createWorld(broken);
  for (const operation of [() => api.about(), () => api.arrays("r", ["x"])]) {
    assert.equal((await problemOf(operation)).problem.status, 0);
  }
});

test("an aborted request stays an AbortError", async () => {
  const { api } = createWorld(() => Promise.reject(new DOMException("aborted", "AbortError")));
  const body = /** @type {const} */ ({ model: "m", text: "t", precision: "float32" });
  await assert.rejects(
    api.record(body),
    (error) => error instanceof DOMException && error.name === "AbortError",
  );
});

test("a recording is asked for with exactly the text, in JSON, and can be aborted", async () => {
  const { api, calls } = createWorld(empty);
  const { signal } = new AbortController();
  const body = /** @type {const} */ ({
    model: "m",
    text: '<b>"\u0000\ud800 شمس 👩‍👩‍👧',
    precision: "float64",
  });
  await api.record(body, signal);
  const { url, init } = calls[0];
  assert.equal(url, "api/recordings");
  assert.equal(init?.method, "POST");
  assert.equal(init?.signal, signal);
  assert.equal(new Headers(init?.headers).get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(String(init?.body)), body);
});

test("every address is relative, so that the page works under any path", async () => {
  const { api, calls } = createWorld(empty);
  await Promise.all([
    api.about(),
    api.quantities(),
    api.models(),
    api.signIn("secret"),
    api.sentences(new Blob(["a"])),
  ]);
  assert.deepEqual(
    calls.map(({ url }) => url),
    ["api/about", "api/quantities", "api/models", "api/session", "api/sentences"],
  );
  for (const { url } of calls)
    assert.ok(new URL(url, "http://host/under/").pathname.startsWith("/under/api/"));
});

test("a token to sign in travels in the body, never in the address", async () => {
  const { api, calls } = createWorld(empty);
  await api.signIn("secret");
  assert.ok(!calls[0].url.includes("secret"));
  assert.deepEqual(JSON.parse(String(calls[0].init?.body)), { token: "secret" });
});

test("arrays are asked for by name, all in one request", async () => {
  const { api, calls } = createWorld(noArrays);
  const names = ["x", "0.forward.i", "1.backward.h"];
  assert.equal((await api.arrays("abc", names)).size, 0);
  const url = new URL(calls[0].url, "http://host/");
  assert.equal(calls.length, 1);
  assert.equal(url.pathname, "/api/recordings/abc/arrays");
  assert.deepEqual(url.searchParams.getAll("name"), names);
});

test("weights are asked for with their model escaped in the path and the rest in the query", async () => {
  const { api, calls } = createWorld(noArrays);
  const of = /** @type {const} */ ({
    digest: "a&b=c",
    layer: 1,
    direction: "backward",
    unit: 12,
    precision: "float64",
  });
  await api.unitWeights({ model: "my model/../x?y#z", ...of });
  const url = new URL(calls[0].url, "http://host/");
  const [, , , segment, rest] = url.pathname.split("/");
  assert.equal(decodeURIComponent(segment), "my model/../x?y#z");
  assert.equal(rest, "weights");
  assert.deepEqual(Object.fromEntries(url.searchParams), { ...of, layer: "1", unit: "12" });
});

test("a file goes up as the bytes it is", async () => {
  const { api, calls } = createWorld(empty);
  const file = new Blob([new Uint8Array([0xff, 0x00, 0xe4])]);
  await api.sentences(file);
  assert.equal(calls[0].init?.body, file);
  assert.equal(new Headers(calls[0].init?.headers).get("content-type"), "application/octet-stream");
});

test("what is opened, renamed and removed is asked for by its id, whatever that is", async () => {
  const { api, calls } = createWorld(empty);
  const file = new File(["1,2"], "a&b ü.csv");
  await api.table(file);
  await api.propose("c1", { choices: { task: "tag" }, vocabulary: null });
  await api.open({ checkpoint: "c1", vocabulary: "v", choices: {}, title: "T" });
  await api.fresh({ input_size: 3 });
  await api.rename("a/b", "T");
  await api.remove("a/b");
  await api.forget("c1");
  assert.deepEqual(
    calls.map(({ url, init }) => [init?.method, url]),
    [
      ["POST", "api/tables?name=a%26b%20%C3%BC.csv"],
      ["POST", "api/checkpoints/c1/proposal"],
      ["POST", "api/models"],
      ["POST", "api/models/fresh"],
      ["PATCH", "api/models/a%2Fb"],
      ["DELETE", "api/models/a%2Fb"],
      ["DELETE", "api/checkpoints/c1"],
    ],
  );
  assert.equal(calls[0].init?.body, file);
  assert.equal(calls[4].init?.body, '{"title":"T"}');
});

/** An answer of several lines, cut into pieces anywhere. @param {Uint8Array[]} pieces */
const inPieces = (pieces) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    }),
    { headers: { "Content-Type": "application/x-ndjson" } },
  );

const SENTENCE = /** @type {const} */ ({ model: "m", text: "t", precision: "float32" });

test("how far a recording is is told line by line, however its bytes come, and the last is it", async () => {
  /** @type {Promise<void>[]} */
  const checks = [];
  forAll(100, (random) => {
    const told = Array.from({ length: random.integer(0, 5) }, (_, n) => ({
      done: n,
      of: 9,
      what: random.pick(["layer 0 forward", "“é” 👩‍👩‍👧", ""]),
    }));
    const recording = { id: "r", text: "日本語" };
    const lines = [...told.map((progress) => ({ progress })), { recording }];
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    const bytes = new TextEncoder().encode(random.flip() ? `${text}\n` : text);
    /** @type {Uint8Array[]} */
    const pieces = [];
    for (let at = 0; at < bytes.length;) {
      const length = random.integer(1, 40);
      pieces.push(bytes.slice(at, at + length));
      at += length;
    }
    const { api, calls } = createWorld(() => inPieces(pieces));
    /** @type {unknown[]} */
    const heard = [];
    const { signal } = new AbortController();
    const asked = api.record(SENTENCE, signal, (progress) => heard.push(progress));
    checks.push(
      asked.then((came) => {
        assert.deepEqual(came, recording);
        assert.deepEqual(heard, told);
        assert.equal(new Headers(calls[0].init?.headers).get("accept"), "application/x-ndjson");
        assert.equal(calls[0].init?.signal, signal);
        assert.deepEqual(JSON.parse(String(calls[0].init?.body)), SENTENCE);
      }),
    );
  });
  await Promise.all(checks);
});

test("a recording that fails on its way is the problem its last line says, or no answer", async () => {
  const encode = (/** @type {unknown} */ line) =>
    new TextEncoder().encode(`${JSON.stringify(line)}\n`);
  const progress = { progress: { done: 1, of: 2, what: "" } };
  const problem = { title: "Too long", status: 422, detail: "This would take too much memory." };
  const said = createWorld(() => inPieces([encode(progress), encode({ problem })]));
  const error = await problemOf(() => said.api.record(SENTENCE, undefined, () => {}));
  assert.deepEqual(error.problem, problem);
  const cut = createWorld(() => inPieces([encode(progress)]));
  const unsaid = await problemOf(() => cut.api.record(SENTENCE, undefined, () => {}));
  assert.equal(unsaid.problem.status, 0);
});

test("a server that tells no progress is understood, and so is one that refuses", async () => {
  const plain = createWorld(() => Response.json({ id: "r" }));
  assert.deepEqual(await plain.api.record(SENTENCE, undefined, () => {}), { id: "r" });
  const busy = createWorld(() => Response.json({ detail: "Later." }, { status: 429 }));
  const error = await problemOf(() => busy.api.record(SENTENCE, undefined, () => {}));
  assert.equal(error.problem.status, 429);
});

test("an aborted request stays an AbortError while progress is told, too", async () => {
  const { api } = createWorld(() => Promise.reject(new DOMException("aborted", "AbortError")));
  await assert.rejects(
    api.record(SENTENCE, undefined, () => {}),
    { name: "AbortError" },
  );
});
