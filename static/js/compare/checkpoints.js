// Weights from along a training, and other models that can read the same text. Pure.

/** @import {Model} from '../types.js' */

/**
 * The checkpoints of a model, or of the one it is a checkpoint of, the earliest first and the finished
 * model last; null where there are none.
 * @param {readonly Model[]} models
 * @param {string} id
 * @returns {{id: string, step: number, of: number, validation: number | null, finished: boolean}[] | null}
 */
export function familyOf(models, id) {
  const own = models.find((model) => model.id === id);
  const base = own?.checkpoint_of ? models.find((model) => model.id === own.checkpoint_of) : own;
  if (!base?.checkpoints?.length) return null;
  const { of } = base.checkpoints[base.checkpoints.length - 1];
  const along = base.checkpoints
    .filter(({ step }) => step < of)
    .map((one) => ({ ...one, finished: false }));
  const last = base.checkpoints.find(({ step }) => step === of);
  const finished = {
    id: base.id,
    step: of,
    of,
    validation: last?.validation ?? null,
    finished: true,
  };
  return [...along, finished];
}

/**
 * Other models that read what this one reads: text, or rows of numbers. Checkpoints have a slider.
 * @param {readonly Model[]} models
 * @param {string} id
 */
export function otherModels(models, id) {
  const own = models.find((model) => model.id === id);
  const isTable = own?.split === "table";
  return models.filter(
    (model) => model.id !== id && !model.checkpoint_of && (model.split === "table") === isTable,
  );
}
