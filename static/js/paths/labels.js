// Where the labels of points go, so that none covers another. Pure.

/** @import {Places, Box} from './projection.js' */

/** Where a label may stand beside its point: the direction of its middle from there. */
const SIDES = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [1, -1],
  [-1, -1],
  [1, 1],
  [-1, 1],
];

/**
 * 0, 1, 2, … in an order whose beginnings are spread evenly: the ends, the middle, the quarters, …
 * @param {number} count
 */
export function spread(count) {
  const order = count > 1 ? [0, count - 1] : count ? [0] : [];
  const queue = [[0, count - 1]];
  for (let n = 0; n < queue.length; n++) {
    const [from, to] = queue[n];
    const middle = (from + to) >> 1;
    if (to - from < 2) continue;
    order.push(middle);
    queue.push([from, middle], [middle, to]);
  }
  return order;
}

/**
 * Cells of a grid that know what lies in them.
 * @param {number} size
 */
function createGrid(size) {
  /** @type {Map<number, Box[]>} */
  const cells = new Map();
  /** @param {Box} box @param {(key: number) => boolean | void} visit  true ends it */
  function over({ x, y, width, height }, visit) {
    for (let row = Math.floor(y / size); row <= Math.floor((y + height) / size); row++)
      for (let column = Math.floor(x / size); column <= Math.floor((x + width) / size); column++)
        if (visit(row * 4096 + column)) return true;
    return false;
  }
  return {
    /** @param {Box} box */
    add(box) {
      over(box, (key) => {
        const list = cells.get(key);
        if (list) list.push(box);
        else cells.set(key, [box]);
      });
    },
    /** @param {Box} box */
    meets: (box) => over(box, (key) => cells.get(key)?.some((other) => overlap(box, other))),
  };
}

/** @param {Box} a @param {Box} b */
export const overlap = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** @param {Box} inner @param {Box} outer */
const within = (inner, outer) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

/**
 * The box of a label beside a point.
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} gap  from the point to the label
 * @param {readonly number[]} side
 * @returns {Box}
 */
const beside = (x, y, width, height, gap, [dx, dy]) => ({
  x: x + dx * (gap + width / 2) - width / 2,
  y: y + dy * (gap + height / 2) - height / 2,
  width,
  height,
});

/**
 * As many labels as there is room for: those that are wanted first are placed first, beside their
 * points and inside the panel, over no other label and no point.
 * @param {readonly {x: number, y: number, width: number}[]} wanted  the most wanted first
 * @param {{box: Box, height: number, gap: number, points: readonly Places[], size: number}} of  `points` are not covered, `size` is half of one
 * @returns {({x: number, y: number, width: number, height: number} | null)[]}  null: no room
 */
export function placeLabels(wanted, { box, height, gap, points, size }) {
  const taken = createGrid(24);
  const dots = createGrid(24);
  for (const { x, y } of points)
    for (let n = 0; n < x.length; n++)
      if (isFinite(x[n] + y[n]))
        dots.add({ x: x[n] - size, y: y[n] - size, width: 2 * size, height: 2 * size });
  return wanted.map(({ x, y, width }) => {
    if (!isFinite(x + y)) return null;
    for (const side of SIDES) {
      const label = beside(x, y, width, height, gap, side);
      if (!within(label, box) || taken.meets(label) || dots.meets(label)) continue;
      taken.add(label);
      return label;
    }
    return null;
  });
}

/**
 * A few labels that are all shown: each where it is least in the way of the others and inside the
 * panel.
 * @param {readonly {x: number, y: number, width: number, size: number}[]} wanted  the most important first; `size` is half of its point
 * @param {{box: Box, height: number, gap: number}} of
 * @returns {(Box | null)[]}  null where two must lie over each other, or the point is nowhere
 */
export function placeAll(wanted, { box, height, gap }) {
  /** @type {Box[]} */
  const taken = wanted
    .filter(({ x, y }) => isFinite(x + y))
    .map(({ x, y, size }) => ({ x: x - size, y: y - size, width: 2 * size, height: 2 * size }));
  return wanted.map(({ x, y, width, size }, n) => {
    if (!isFinite(x + y)) return null;
    const sides = SIDES.map((side) => beside(x, y, width, height, size + gap, side));
    const free = sides.find((label) => within(label, box) && !taken.some((t) => overlap(t, label)));
    // The current one is always shown, even over the edge of another point.
    const label = free ?? (n === 0 ? (sides.find((side) => within(side, box)) ?? sides[0]) : null);
    if (label) taken.push(label);
    return label;
  });
}
