// A picture on the time axis: a legend beside it, a hair and a tooltip under the pointer, and a click
// goes to the timestep. The page's band is the cursor: a step does not repaint it.

/** @import {Recording} from '../recording.js' */
/** @import {Room, Shown} from './room.js' */
/** @import {Answers} from './measures.js' */
/** @import {Columns} from './cells.js' */

import { axis } from "../time/axis.js";
import { hideOnLeaving, showHair, timestepUnder } from "../time/pointing.js";
import { element, fitCanvas, heightUnder, isDrag } from "../dom.js";
import { label } from "../label.js";

/**
 * @typedef {object} StripPicture
 * @property {string} id
 * @property {(shown: Shown, answers: Answers) => string} title  what is to be seen, for those who do not
 * @property {(shown: Shown, answers: Answers) => number} height  0: nothing
 * @property {(context: CanvasRenderingContext2D, shown: Shown, answers: Answers, columns: Columns) => void} draw
 * @property {(legend: HTMLElement, shown: Shown, answers: Answers) => void} legend  filled again
 * @property {(shown: Shown, answers: Answers, t: number, y: number) => string[]} tell
 * @property {(shown: Shown, y: number) => void} [pick]  beside the timestep
 * @property {(shown: Shown) => string} [key]  what else the picture depends on
 */

/**
 * @param {Room} room
 * @param {StripPicture} picture
 */
export function createStrip(room, picture) {
  const { state, actions, tooltip } = room;
  const legend = element("div", { class: "row-label predict-legend" });
  const canvas = element("canvas", { role: "img" });
  const hair = element("div", { class: "hair", "aria-hidden": "true" });
  const track = element("div", { class: "track predict-track" }, canvas, hair);
  const root = element("div", { id: picture.id, class: "row predict-row" }, legend, track);
  let painted = "";

  /** @param {MouseEvent} event */
  function under(event) {
    const shown = room.shown();
    const at = timestepUnder(state, track, event);
    if (!shown?.answers || !at) return null;
    return { shown, answers: shown.answers, ...at, y: heightUnder(event, track) };
  }

  track.addEventListener("click", (event) => {
    const hit = under(event);
    if (!hit) return;
    picture.pick?.(hit.shown, hit.y);
    actions.selectTimestep(hit.t);
  });
  track.addEventListener("pointermove", (event) => {
    const hit = under(event);
    if (!hit) return;
    if (isDrag(event)) actions.selectTimestep(hit.t);
    showHair(hair, hit.x);
    const token = label(hit.shown.recording.about.tokens[hit.t].text);
    const lines = picture.tell(hit.shown, hit.answers, hit.t, hit.y);
    tooltip.show(event, [`after “${token}” · timestep ${hit.t}`, ...lines]);
  });
  hideOnLeaving(track, hair, tooltip);

  return {
    root,
    view: {
      name: picture.id,
      reads: [...room.reads, state.trackWidth, state.from, state.span],
      paint() {
        const shown = room.shown();
        const answers = shown?.answers;
        const height = shown && answers ? picture.height(shown, answers) : 0;
        root.hidden = !height;
        if (!shown || !answers || !height) return;
        const key = `${room.key(shown)} ${picture.key?.(shown) ?? ""}`;
        if (key === painted) return;
        painted = key;
        const view = axis(state, shown.recording);
        const width = Math.min(view.trackWidth, shown.recording.timesteps * view.columnWidth);
        track.style.width = `${width}px`;
        for (const node of [track, legend]) node.style.height = `${height}px`;
        picture.draw(fitCanvas(canvas, width, height), shown, answers, view.window);
        canvas.setAttribute("aria-label", picture.title(shown, answers));
        picture.legend(legend, shown, answers);
      },
    },
  };
}
