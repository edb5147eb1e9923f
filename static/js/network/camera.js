// A camera over a plane: where it looks, how near, and its ways from here to there. Pure.
//
// A network is much longer than high: ten thousand timesteps by a dozen rows. So far away the plane
// is stretched: a unit down never gets smaller than `floor` pixels, however small a unit across is.
// From where the two meet on, the plane is as it is. Zooming in from the whole never leaves what the
// whole showed, so that a point under the pointer can always stay there.

/** @typedef {{x: number, y: number, scale: number}} Camera  the middle of the view, and pixels per unit across */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box  in units of the plane */

/**
 * The screen a camera fills, and how far it may go.
 * @typedef {object} Lens
 * @property {number} width  pixels
 * @property {number} height
 * @property {number} floor  the fewest pixels per unit down
 * @property {Camera} whole  the camera that shows everything, the furthest one
 * @property {number} nearest  the most pixels per unit
 */

/**
 * @param {{width: number, height: number}} screen  pixels
 * @param {Box} world
 * @param {{padding: {left: number, right: number, down: number}, tallest: number, nearest: number}} sizes  pixels kept free around the world; the most pixels per unit down where the plane is stretched; the most pixels per unit
 * @returns {Lens}
 */
export function lensOf({ width, height }, world, { padding, tallest, nearest }) {
  const { left, right } = padding;
  const across = room(width, left + right) / (world.right - world.left);
  const down = room(height, 2 * padding.down) / (world.bottom - world.top);
  const scale = Math.min(across, down);
  const middle = {
    x: (world.left + world.right + (right - left) / scale) / 2,
    y: (world.top + world.bottom) / 2,
  };
  return {
    width,
    height,
    floor: Math.max(scale, Math.min(down, tallest)),
    whole: { ...middle, scale },
    nearest: Math.max(nearest, scale),
  };
}

/** @param {number} pixels @param {number} padding */
const room = (pixels, padding) => Math.max(1, pixels - padding, pixels / 2);

/** Pixels per unit down. @param {Lens} lens @param {Camera} camera */
export const scaleDown = ({ floor }, { scale }) => Math.max(scale, floor);

/** The part of the plane on the screen. @param {Lens} lens @param {Camera} camera @returns {Box} */
export function viewOf(lens, camera) {
  const across = lens.width / 2 / camera.scale;
  const down = lens.height / 2 / scaleDown(lens, camera);
  const { x, y } = camera;
  return { left: x - across, top: y - down, right: x + across, bottom: y + down };
}

/** @param {Lens} lens @param {Camera} camera @param {number} x @param {number} y  of the plane */
export const toScreen = (lens, camera, x, y) => ({
  x: lens.width / 2 + (x - camera.x) * camera.scale,
  y: lens.height / 2 + (y - camera.y) * scaleDown(lens, camera),
});

/** @param {Lens} lens @param {Camera} camera @param {number} x @param {number} y  of the screen */
export const toWorld = (lens, camera, x, y) => ({
  x: camera.x + (x - lens.width / 2) / camera.scale,
  y: camera.y + (y - lens.height / 2) / scaleDown(lens, camera),
});

/**
 * The nearest camera that shows nothing but what the whole shows.
 * @param {Lens} lens
 * @param {Camera} camera
 * @returns {Camera}
 */
export function clamped(lens, camera) {
  const scale = Math.min(lens.nearest, Math.max(lens.whole.scale, camera.scale));
  const bounds = viewOf(lens, lens.whole);
  const view = viewOf(lens, { ...camera, scale });
  const inside = (/** @type {number} */ at, /** @type {number} */ half, low = 0, high = 0) =>
    // Where there is no room to move, rounding must not decide.
    high - low <= 2 * half ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, at));
  return {
    x: inside(camera.x, (view.right - view.left) / 2, bounds.left, bounds.right),
    y: inside(camera.y, (view.bottom - view.top) / 2, bounds.top, bounds.bottom),
    scale,
  };
}

/**
 * Moved by pixels, as if the plane were dragged.
 * @param {Lens} lens
 * @param {Camera} camera
 * @param {number} dx
 * @param {number} dy
 */
export const panned = (lens, camera, dx, dy) =>
  clamped(lens, {
    x: camera.x - dx / camera.scale,
    y: camera.y - dy / scaleDown(lens, camera),
    scale: camera.scale,
  });

/**
 * Nearer or further by a factor, while what is at a point of the screen stays there.
 * @param {Lens} lens
 * @param {Camera} camera
 * @param {number} factor
 * @param {number} x  pixels from the left edge
 * @param {number} y
 */
export function zoomedAt(lens, camera, factor, x, y) {
  const scale = Math.min(lens.nearest, Math.max(lens.whole.scale, camera.scale * factor));
  const at = toWorld(lens, camera, x, y);
  return clamped(lens, {
    x: at.x - (x - lens.width / 2) / scale,
    y: at.y - (y - lens.height / 2) / scaleDown(lens, { ...camera, scale }),
    scale,
  });
}

/**
 * The camera that shows a box as large as it can be.
 * @param {Lens} lens
 * @param {Box} box
 * @param {number} [padding]  pixels kept free around it
 */
export function fitted(lens, box, padding = 0) {
  const across = room(lens.width, 2 * padding) / (box.right - box.left);
  const down = room(lens.height, 2 * padding) / (box.bottom - box.top);
  return clamped(lens, {
    x: (box.left + box.right) / 2,
    y: (box.top + box.bottom) / 2,
    // Where the plane is stretched, coming nearer makes nothing higher.
    scale: Math.min(across, Math.max(down, lens.floor)),
  });
}

/**
 * Where to go so that a box is seen: the same camera if it is. Across it pages rather than creeps:
 * what comes next has most of the screen.
 * @param {Lens} lens
 * @param {Camera} camera
 * @param {Box} box
 * @param {number} heading  1: what comes next is to the right, -1: to the left
 */
export function following(lens, camera, box, heading) {
  const view = viewOf(lens, camera);
  return clamped(lens, {
    x: shifted(view.left, view.right, box.left, box.right, heading, camera.x),
    y: shifted(view.top, view.bottom, box.top, box.bottom, 0, camera.y),
    scale: camera.scale,
  });
}

/** Of a view, what is not paged over when a box is brought into it. */
const BEHIND = 0.2;

/**
 * The middle of a view that shows a box: the old one if it does.
 * @param {number} from @param {number} to  of the view
 * @param {number} low @param {number} high  of the box
 * @param {number} heading  0: no further than needed
 * @param {number} middle
 */
function shifted(from, to, low, high, heading, middle) {
  const size = to - from;
  const slack = size * 1e-6;
  if (low >= from - slack && high <= to + slack) return middle;
  const half = size / 2;
  // Hardly smaller than the view: in its middle.
  if (high - low > size * (1 - 2 * BEHIND)) return (low + high) / 2;
  if (heading > 0) return low - BEHIND * size + half;
  if (heading < 0) return high + BEHIND * size - half;
  return low < from ? low + half : high - half;
}

/** How willingly a flight goes further away to get on faster (van Wijk and Nuij's ρ). */
const RHO = Math.SQRT2;

/**
 * The way from one camera to another that looks shortest: away, across, and near again, at an even
 * pace. After J. J. van Wijk and W. A. A. Nuij, "Smooth and efficient zooming and panning" (2003).
 * @param {Lens} lens
 * @param {Camera} from
 * @param {Camera} to
 * @returns {{length: number, at: (part: number) => Camera}}  how long it seems; `part` runs from 0 to 1
 */
export function flight(lens, from, to) {
  const [w0, w1] = [lens.width / from.scale, lens.width / to.scale];
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const straight = distance < 1e-6 * Math.min(w0, w1);
  const bend = (/** @type {number} */ w, /** @type {number} */ sign) =>
    -Math.asinh(
      (w1 * w1 - w0 * w0 + sign * RHO ** 4 * distance * distance) / (2 * w * RHO ** 2 * distance),
    );
  const [r0, r1] = straight ? [0, 0] : [bend(w0, 1), bend(w1, -1)];
  const length = straight ? Math.abs(Math.log(w1 / w0)) / RHO : (r1 - r0) / RHO;
  return {
    length,
    at(part) {
      if (part <= 0) return from;
      if (part >= 1) return to;
      const s = RHO * part * length;
      const width = straight ? w0 * (w1 / w0) ** part : (w0 * Math.cosh(r0)) / Math.cosh(s + r0);
      const gone = straight
        ? part
        : (w0 * (Math.cosh(r0) * Math.tanh(s + r0) - Math.sinh(r0))) / RHO ** 2 / distance;
      return clamped(lens, {
        x: from.x + (to.x - from.x) * gone,
        y: from.y + (to.y - from.y) * gone,
        scale: lens.width / width,
      });
    },
  };
}

/** Milliseconds in which two thirds of what is left of a way are gone. */
const HASTE = 90;

/**
 * Part of the way to a target that may move at any time; the target itself when it is as good as there.
 * @param {Lens} lens
 * @param {Camera} camera
 * @param {Camera} target
 * @param {number} elapsed  milliseconds
 */
export function approached(lens, camera, target, elapsed) {
  const part = 1 - Math.exp(-elapsed / HASTE);
  const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * part;
  const next = {
    x: mix(camera.x, target.x),
    y: mix(camera.y, target.y),
    scale: Math.exp(mix(Math.log(camera.scale), Math.log(target.scale))),
  };
  const left =
    Math.abs(target.x - next.x) * target.scale +
    Math.abs(target.y - next.y) * scaleDown(lens, target) +
    Math.abs(Math.log(target.scale / next.scale)) * lens.width;
  return left < 0.5 ? target : next;
}

/**
 * A camera as a link holds it: its middle, and how many units it sees across, so that it means the
 * same on every screen. The whole is "".
 * @param {Lens} lens
 * @param {Camera} camera
 */
export function formatCamera(lens, camera) {
  if (camera.scale <= lens.whole.scale * (1 + 1e-6)) return "";
  const across = lens.width / camera.scale;
  const places = Math.max(0, 3 - Math.floor(Math.log10(across)));
  const rounded = (/** @type {number} */ value) => String(Number(value.toFixed(places)));
  return [camera.x, camera.y, across].map(rounded).join(",");
}

/**
 * The camera a link asks for, as near as this screen allows; what is none is the whole.
 * @param {Lens} lens
 * @param {string} text
 */
export function parseCamera(lens, text) {
  const [x, y, across, ...more] = text.split(",").map(Number);
  if (text === "" || more.length || !(across > 0) || !Number.isFinite(x + y + across))
    return lens.whole;
  return clamped(lens, { x, y, scale: lens.width / across });
}
