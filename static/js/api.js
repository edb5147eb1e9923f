// The server, one function per operation. Problems (RFC 9457) become ApiError.

/** @import {About, Comparison, ContinuationCreate, Direction, Model, NDArray, Precision, Problem, Proposal, Quantity, RecordingPublic, Similarity, Sort, Statistic, UnitMatch, WrittenToken} from './types.js' */

import { decode } from "./codec.js";

export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

/** @param {ArrayBuffer} body */
const parse = (body) => JSON.parse(new TextDecoder().decode(body));

/**
 * Parameters of an address; a list gives one for each of its items.
 * @param {Record<string, string | number | boolean | string[] | undefined>} values
 */
function query(values) {
  const pairs = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((item) => [key, String(item)]),
  );
  return new URLSearchParams(pairs);
}

export const noAnswer = () =>
  new ApiError({
    title: "No answer",
    status: 0,
    detail: "The server does not answer. Is it still running?",
  });

/**
 * The error for an answer that says no.
 * @param {{status: number, statusText: string}} response
 * @param {ArrayBuffer} body
 */
export function refusal({ status, statusText }, body) {
  const answered = `${status} ${statusText}`.trim();
  const unsaid = { title: answered, status, detail: `The server answered ${answered}.` };
  try {
    return new ApiError({ ...unsaid, ...parse(body) });
  } catch {
    // No JSON: something between the page and the server answered.
    return new ApiError(unsaid);
  }
}

/** @param {unknown} error */
const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** How far something is. @typedef {{done: number, of: number, what: string}} Progress */

/**
 * What a long operation gives, and on the way to it how far it is: the answer is a line of JSON for each.
 * @param {typeof globalThis.fetch} fetch
 * @param {string} path
 * @param {RequestInit} init
 * @param {(progress: any) => void} onProgress
 * @param {string} result  the member of the last line that holds it
 * @param {string} [step]  the member of the lines before it
 */
async function withProgress(fetch, path, init, onProgress, result, step = "progress") {
  /** @type {Record<string, any>} */
  let last = {};
  try {
    const response = await fetch(path, init);
    if (!response.ok) throw refusal(response, await response.arrayBuffer());
    if (!response.headers.get("Content-Type")?.startsWith(LINES)) return await response.json();
    for await (const line of lines(response)) {
      last = JSON.parse(line);
      if (step in last) onProgress(last[step]);
    }
  } catch (error) {
    const ours = error instanceof ApiError || isAbort(error) || init.signal?.aborted;
    throw ours ? error : noAnswer();
  }
  if (last.problem) throw new ApiError(last.problem);
  // A stream that ends early was cut off.
  if (!last[result]) throw noAnswer();
  return last[result];
}

const LINES = "application/x-ndjson";

/** The lines of an answer, as they come. @param {Response} response */
async function* lines(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const parts = rest.split("\n");
    rest = /** @type {string} */ (parts.pop());
    yield* parts.filter(Boolean);
    if (done) break;
  }
  if (rest) yield rest;
}

/**
 * @param {typeof globalThis.fetch} fetch
 */
export function createApi(fetch) {
  /**
   * The bytes of the answer.
   * @param {string} path
   * @param {RequestInit} [init]
   */
  async function send(path, init) {
    /** @type {Response} */
    let response;
    /** @type {ArrayBuffer} */
    let body;
    try {
      response = await fetch(path, init);
      body = await response.arrayBuffer();
    } catch (error) {
      throw isAbort(error) ? error : noAnswer();
    }
    if (response.ok) return body;
    throw refusal(response, body);
  }

  /** @param {string} path @param {RequestInit} [init] */
  const json = async (path, init) => parse(await send(path, init));

  /**
   * Send something as JSON; the answer is JSON, too.
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {AbortSignal} [signal]
   */
  const jsonWith = (method, path, body, signal) =>
    json(path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });

  /** @param {string} path @param {Blob} file */
  const jsonOf = (path, file) =>
    json(path, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: file,
    });

  /** @param {string} path @param {RequestInit} [init] */
  const arrays = async (path, init) => decode(await send(path, init));

  return {
    /** @returns {Promise<About>} */
    about: () => json("api/about"),

    /** @returns {Promise<Quantity[]>} */
    quantities: () => json("api/quantities"),

    /** @returns {Promise<Model[]>} */
    models: () => json("api/models"),

    /**
     * @param {{model: string, text: string, precision: Precision}} body
     * @param {AbortSignal} [signal]
     * @param {(progress: Progress) => void} [onProgress]
     * @returns {Promise<RecordingPublic>}
     */
    record: (body, signal, onProgress = () => {}) => {
      const init = {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: LINES },
        body: JSON.stringify(body),
        signal,
      };
      return withProgress(fetch, "api/recordings", init, onProgress, "recording");
    },

    /**
     * Arrays, or some of their timesteps or units.
     * @param {string} id
     * @param {string[]} names
     * @param {{start?: number, stop?: number, unit_start?: number, unit_stop?: number}} [part]
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    arrays: (id, names, part, signal) =>
      arrays(`api/recordings/${id}/arrays?${query({ name: names, ...part })}`, { signal }),

    /**
     * Pooled columns of some arrays, for pictures.
     * @param {string} id
     * @param {string[]} names
     * @param {{level: number, tile: number, units_per_row: number, statistic: Statistic, sort: Sort, sort_of: string, unit: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}  [columns, rows]
     */
    tiles: (id, names, of, signal) =>
      arrays(`api/recordings/${id}/tiles?${query({ name: names, ...of })}`, { signal }),

    /**
     * The units of a cell in an order.
     * @param {string} id
     * @param {{layer: number, direction: Direction, sort: Sort, sort_of: string, unit: number}} of
     * @returns {Promise<{order: number[]}>}
     */
    order: (id, of) => json(`api/recordings/${id}/orders?${query(of)}`),

    /**
     * The units above a value from `start` to `stop` (not included), and not around it if that is asked.
     * @param {string} id
     * @param {{layer: number, direction: Direction, quantity: string, start: number, stop: number, above: number, off_before: boolean, off_after: boolean}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<{units: number[]}>}
     */
    matchingUnits: (id, of, signal) =>
      json(`api/recordings/${id}/matching-units?${query(of)}`, { signal }),

    /**
     * Over all timesteps: NAME.low, NAME.high, NAME.mean, NAME.variance of every unit.
     * @param {string} id
     * @param {string[]} names
     * @returns {Promise<Map<string, NDArray>>}
     */
    unitSummaries: (id, names) =>
      arrays(`api/recordings/${id}/unit-summaries?${query({ name: names })}`),

    /**
     * CKA of every array with every other one, of this recording or of two.
     * @param {string} id
     * @param {{name: string[], other?: string, other_name?: string[], start?: number, stop?: number, also?: string[], other_also?: string[]}} of
     * @param {AbortSignal} [signal]
     * @param {(progress: Progress) => void} [onProgress]
     * @returns {Promise<Similarity>}
     */
    similarity: (id, of, signal, onProgress = () => {}) => {
      const path = `api/recordings/${id}/similarity?${query(of)}`;
      const init = { headers: { Accept: LINES }, signal };
      return withProgress(fetch, path, init, onProgress, "similarity");
    },

    /**
     * Two arrays timestep by timestep, of this recording or of two, whose tokens are aligned.
     * @param {string} id
     * @param {{name: string, other?: string, other_name: string, start?: number, stop?: number, threshold?: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Comparison>}
     */
    comparison: (id, of, signal) =>
      json(`api/recordings/${id}/comparison?${query(of)}`, { signal }),

    /**
     * For every unit of an array the one of another that moves most like it.
     * @param {string} id
     * @param {{name: string, other?: string, other_name: string, start?: number, stop?: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<{matches: UnitMatch[]}>}
     */
    bestMatches: (id, of, signal) =>
      json(`api/recordings/${id}/best-matches?${query(of)}`, { signal }),

    /**
     * Pooled columns of two arrays and of their difference: "one", "other", "difference".
     * @param {string} id
     * @param {{name: string, other?: string, other_name: string, level: number, tile: number, units_per_row: number, statistic: Statistic, sort: Sort, sort_of: string, unit: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}  [columns, rows]
     */
    comparisonTiles: (id, of, signal) =>
      arrays(`api/recordings/${id}/comparison-tiles?${query(of)}`, { signal }),

    /**
     * The states of every timestep as points: `K.NAME` [timesteps, components] of recording K, 0 being this one,
     * and the shares of variance, `explained.NAME` or, in one space for all, `explained`.
     * @param {string} id
     * @param {{name: string[], also: string[], components: number, space: "own" | "shared"}} of  `also`: further recordings
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    paths: (id, of, signal) => arrays(`api/recordings/${id}/paths?${query(of)}`, { signal }),

    /**
     * What the head decided at every timestep: top, probability, entropy, rank, surprise, margin,
     * changed.
     * @param {string} id
     * @param {{k: number, start?: number, stop?: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    predictions: (id, of, signal) =>
      arrays(`api/recordings/${id}/predictions?${query(of)}`, { signal }),

    /**
     * The same of the head applied to another layer; of a head of numbers `scores`.
     * @param {string} id
     * @param {{layer: number, k: number}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    lens: (id, of, signal) => arrays(`api/recordings/${id}/lens?${query(of)}`, { signal }),

    /**
     * The rows of W, U and b that drive one unit's four gates.
     * @param {{model: string, digest: string, layer: number, direction: Direction, unit: number, precision: Precision}} of
     * @returns {Promise<Map<string, NDArray>>}
     */
    unitWeights: ({ model, ...of }) =>
      arrays(`api/models/${encodeURIComponent(model)}/weights?${query(of)}`),

    /**
     * The same of every unit of a cell: W [units, 4, …], U, b.
     * @param {{model: string, layer: number, direction: Direction, precision: Precision}} of
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    cellWeights: ({ model, ...of }, signal) =>
      arrays(`api/models/${encodeURIComponent(model)}/cell-weights?${query(of)}`, { signal }),

    /**
     * A language model writes on; `onToken` is told each token as it comes.
     * @param {ContinuationCreate} body
     * @param {AbortSignal} signal
     * @param {(token: WrittenToken) => void} onToken
     * @returns {Promise<{text: string, reason: string, recording: RecordingPublic}>}
     */
    writeOn(body, signal, onToken) {
      const headers = { "Content-Type": "application/json", Accept: LINES };
      const init = { method: "POST", headers, body: JSON.stringify(body), signal };
      return withProgress(fetch, "api/continuations", init, onToken, "continuation", "token");
    },

    /**
     * A file with some arrays of a recording, or a part of them.
     * @param {string} id
     * @param {{format: string, name: string[], start?: number, stop?: number, units?: string}} of
     * @param {AbortSignal} [signal]
     */
    export: (id, of, signal) => send(`api/recordings/${id}/export?${query(of)}`, { signal }),

    /**
     * The page as one HTML file, without a session.
     * @param {boolean} charts
     * @param {AbortSignal} [signal]
     */
    offlinePage: async (charts, signal) =>
      new TextDecoder().decode(await send(`api/offline-page?charts=${charts}`, { signal })),

    /**
     * The sentences of a text file.
     * @param {Blob} file
     * @returns {Promise<{encoding: string, sentences: string[]}>}
     */
    sentences: (file) => jsonOf("api/sentences", file),

    /**
     * The text of a table of numbers, whatever it was saved as.
     * @param {File} file
     * @returns {Promise<{text: string, timesteps: number, columns: string[]}>}
     */
    table: (file) => jsonOf(`api/tables?name=${encodeURIComponent(file.name)}`, file),

    /**
     * What to make of an uploaded checkpoint.
     * @param {string} checkpoint
     * @param {{choices: Record<string, string>, vocabulary: string | null}} body
     * @param {AbortSignal} [signal]
     * @returns {Promise<Proposal>}
     */
    propose: (checkpoint, body, signal) =>
      jsonWith("POST", `api/checkpoints/${checkpoint}/proposal`, body, signal),

    /** @param {string} checkpoint */
    forget: (checkpoint) => send(`api/checkpoints/${checkpoint}`, { method: "DELETE" }),

    /**
     * A model of an uploaded checkpoint.
     * @param {{checkpoint: string, vocabulary: string | null, choices: Record<string, string>, title: string}} body
     * @returns {Promise<Model>}
     */
    open: (body) => jsonWith("POST", "api/models", body),

    /**
     * A model of random weights.
     * @param {Record<string, string | number | boolean>} body
     * @returns {Promise<Model>}
     */
    fresh: (body) => jsonWith("POST", "api/models/fresh", body),

    /** @param {string} id @param {string} title @returns {Promise<Model>} */
    rename: (id, title) => jsonWith("PATCH", `api/models/${encodeURIComponent(id)}`, { title }),

    /** @param {string} id */
    remove: (id) => send(`api/models/${encodeURIComponent(id)}`, { method: "DELETE" }),

    /** @param {string} token */
    signIn: (token) =>
      send("api/session", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token }),
      }),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */
