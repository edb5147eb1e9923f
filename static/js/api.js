// The server, one function per operation. Problems (RFC 9457) become ApiError.

/** @import {About, Direction, Model, NDArray, Precision, Problem, Quantity, RecordingPublic} from './types.js' */

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
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ApiError({
        title: "No answer",
        status: 0,
        detail: "The server does not answer. Is it still running?",
      });
    }
    if (response.ok) return body;
    const { status, statusText } = response;
    const answered = `${status} ${statusText}`.trim();
    /** @type {Problem} */
    let problem = { title: answered, status, detail: `The server answered ${answered}.` };
    try {
      problem = { ...problem, ...parse(body) };
    } catch {
      // No JSON: something between the page and the server answered.
    }
    throw new ApiError(problem);
  }

  /** @param {string} path @param {RequestInit} [init] */
  const json = async (path, init) => parse(await send(path, init));

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
     * @returns {Promise<RecordingPublic>}
     */
    record: (body, signal) =>
      json("api/recordings", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        signal,
      }),

    /**
     * @param {string} id
     * @param {string[]} names
     * @param {AbortSignal} [signal]
     * @returns {Promise<Map<string, NDArray>>}
     */
    arrays: (id, names, signal) =>
      arrays(`api/recordings/${id}/arrays?${names.map((name) => `name=${name}`).join("&")}`, {
        signal,
      }),

    /**
     * The rows of W, U and b that drive one unit's four gates.
     * @param {{model: string, digest: string, layer: number, direction: Direction, unit: number, precision: Precision}} of
     * @returns {Promise<Map<string, NDArray>>}
     */
    unitWeights: ({ model, ...of }) =>
      arrays(
        `api/models/${encodeURIComponent(model)}/weights?` +
          new URLSearchParams(Object.entries(of).map(([key, value]) => [key, String(value)])),
      ),

    /**
     * The sentences of a text file.
     * @param {Blob} file
     * @returns {Promise<{encoding: string, sentences: string[]}>}
     */
    sentences: (file) =>
      json("api/sentences", {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: file,
      }),

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
