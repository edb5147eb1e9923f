// What was written in this session: texts, and where each parts from the one it was written after. Pure.

/** @import {Options} from './options.js' */
/** @import {Facts} from './sampling.js' */

/**
 * @typedef {object} Branch
 * @property {number} id
 * @property {number | null} from  the branch it was begun on
 * @property {string} model
 * @property {string} text  all of it
 * @property {string} before  the text it was written after
 * @property {string} typed  what a person wrote of it
 * @property {number} root  how many timesteps that is
 * @property {string} first  the label that was asked for, "" where the model chose
 * @property {number} start  timesteps of the text it was written after
 * @property {readonly Facts[]} facts  of each token that was written
 * @property {Options} options
 */

/**
 * The branches with one more; one that came out as an earlier one is that one.
 * @param {readonly Branch[]} branches
 * @param {Omit<Branch, "id" | "from" | "typed" | "root">} made
 * @returns {readonly Branch[]}
 */
export function withBranch(branches, made) {
  const known = branches.find(({ model, text }) => model === made.model && text === made.text);
  if (known) return branches;
  const from = branchOf(branches, made.model, made.before);
  const typed = from && from.typed.length < made.before.length ? from.typed : made.before;
  const root = Math.min(from?.root ?? Infinity, made.start);
  const id = 1 + Math.max(0, ...branches.map((branch) => branch.id));
  return [...branches, { ...made, id, from: from?.id ?? null, typed, root }];
}

/**
 * The branch a text is, or was cut off within what was written there: the latest one.
 * @param {readonly Branch[]} branches
 * @param {string} model
 * @param {string} text
 */
export const branchOf = (branches, model, text) =>
  branches.findLast((branch) => branch.model === model && branch.text === text) ??
  branches.findLast(
    (branch) =>
      branch.model === model && branch.text.startsWith(text) && text.length > branch.before.length,
  );

/**
 * What is known of the tokens of a branch, and of those it was begun on.
 * @param {readonly Branch[]} branches
 * @param {Branch | undefined} branch
 * @returns {(timestep: number) => Facts | undefined}
 */
export function factsOn(branches, branch) {
  /** @type {Facts[]} */
  const known = [];
  for (let at = branch; at; at = branches.find(({ id }) => id === at?.from)) {
    const { start, facts } = at;
    facts.forEach((one, n) => (known[start + n] ??= one));
  }
  return (timestep) => known[timestep];
}

/**
 * The branches of a model as lines of a tree: each below the one it was begun on.
 * @param {readonly Branch[]} branches
 * @param {string} model
 * @returns {{branch: Branch, depth: number}[]}
 */
export function tree(branches, model) {
  const mine = branches.filter((branch) => branch.model === model);
  /** @type {{branch: Branch, depth: number}[]} */
  const lines = [];
  /** @param {number | null} from @param {number} depth */
  const add = (from, depth) => {
    for (const branch of mine) {
      if (branch.from !== from) continue;
      lines.push({ branch, depth });
      add(branch.id, depth + 1);
    }
  };
  add(null, 0);
  return lines;
}

/**
 * Where a branch parts from its text: the last characters before, and the first after.
 * @param {Branch} branch
 * @param {{before: number, after: number}} most  characters
 */
export function parting({ text, before }, most) {
  const [head, tail] = [[...before], [...text.slice(before.length)]];
  return {
    before: (head.length > most.before ? "…" : "") + head.slice(-most.before).join(""),
    after: tail.slice(0, most.after).join("") + (tail.length > most.after ? "…" : ""),
  };
}
