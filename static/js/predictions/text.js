// The sentence, coloured by a measure. What is measured of the next token colours that token: a text is
// read for what was surprising in it.

/** @import {Numbers} from '../types.js' */
/** @import {Room, Shown} from './room.js' */
/** @import {MeasureName} from './measures.js' */

import { LEVELS } from "../colour.js";
import { fixed } from "../format.js";
import { createUnitTextView } from "../unit/text-view.js";
import { MEASURES, coloured, onTokens } from "./measures.js";

/** @param {Room} room */
export function createColouredText(room) {
  /** What a text is painted with, kept while it is the same. */
  let kept = { key: "", values: /** @type {Numbers} */ (new Float32Array()), low: 0, high: 1 };

  /** @param {Shown} shown @param {MeasureName} by */
  function colours({ recording, about, layer, answers }, by) {
    const key = `${recording.about.id} ${layer} ${by} ${Boolean(answers)}`;
    if (key !== kept.key && answers) {
      const { values, low, high } = coloured(by, answers.of[by], about.labels.length);
      kept = { key, values: onTokens(by, values), low, high };
    }
    return kept;
  }

  function shown() {
    const now = room.shown();
    if (!now?.by || !now.answers?.k) return null;
    const { values } = colours(now, now.by);
    const name = now.lens ? `the head, reading layer ${now.layer}` : "the head";
    return { ...now, name, series: { [now.by]: values } };
  }

  return createUnitTextView(
    {
      ...room,
      shown,
      colouring: {
        by: { get: () => room.current()?.by ?? "", subscribe: () => () => {} },
        of(now) {
          const by = /** @type {MeasureName} */ (now.by);
          const { low, high } = colours(now, by);
          // A token nobody predicted has no colour.
          const table = Uint32Array.from(room.table());
          table[LEVELS] = 0;
          return { quantity: { name: by, label: by }, table, low, high };
        },
        reads: [],
        key: () => {
          const { ink, background } = room.theme.get();
          return `${room.state.predict.get()} ${ink} ${background}`;
        },
      },
      /** @param {number} t */
      tell(t) {
        const now = room.shown();
        if (!now?.by || !now.answers) return [];
        const { name, unit, decimals, ahead } = MEASURES[now.by];
        const value = now.answers.of[name][ahead ? t - 1 : t];
        if (value === undefined) return ["nothing was read before it: nobody predicted it"];
        if (Number.isNaN(value)) return [`no ${name}: it is not known here`];
        const of = ahead
          ? "of this token, predicted from what stands before it"
          : "after this token";
        return [`${name} ${fixed(value, decimals + 1)} ${unit}`.trim(), of];
      },
    },
    "predict-text",
  );
}
