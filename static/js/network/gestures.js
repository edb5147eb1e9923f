// Wheel, pinch, drag, click and double click on a plane, told apart.

/** Pixels a pointer may move and still click. */
const STILL = 4;
/** How much one notch of a wheel zooms, and pixels of a notch; browsers also speak of lines and pages. */
const NOTCH = 1.2;
const PIXELS = [1, 16, 400];

/**
 * @typedef {object} Gestures
 * @property {(dx: number, dy: number) => unknown} pan  pixels
 * @property {(factor: number, x: number, y: number) => boolean} zoom  whether there was anything to zoom: if not, the page scrolls
 * @property {(event: MouseEvent) => void} click
 * @property {(event: MouseEvent) => void} open  a double click
 * @property {(event: PointerEvent | null) => void} hover  null: the pointer has left
 * @property {() => void} end  of a movement
 */

/**
 * A finger moves the plane sideways and scrolls the page up and down; two move and zoom the plane.
 * @param {HTMLElement} node
 * @param {Gestures} to
 */
export function listenToGestures(node, to) {
  /** Where each pointer was last. @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  let moved = 0;

  node.addEventListener(
    "wheel",
    (event) => {
      const pixels = PIXELS[event.deltaMode];
      const sideways = event.shiftKey && !event.deltaX;
      if (sideways || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        to.pan(-(sideways ? event.deltaY : event.deltaX) * pixels, 0);
        event.preventDefault();
      } else {
        // A trackpad's pinch comes as many small notches.
        const notches = -(event.deltaY * pixels) / (event.ctrlKey ? 30 : 100);
        const { x, y } = placeOf(event);
        if (to.zoom(NOTCH ** notches, x, y) || event.ctrlKey) event.preventDefault();
      }
      to.end();
    },
    { passive: false },
  );

  /** From the corner inside the node's border. @param {MouseEvent} event */
  function placeOf(event) {
    const { left, top } = node.getBoundingClientRect();
    return { x: event.clientX - left - node.clientLeft, y: event.clientY - top - node.clientTop };
  }

  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button) return;
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, placeOf(event));
  });
  node.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return to.hover(event);
    const now = placeOf(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    moved += Math.hypot(dx, dy);
    if (moved <= STILL) return;
    if (!node.hasPointerCapture(event.pointerId)) node.setPointerCapture(event.pointerId);
    to.hover(null);
    if (!other) return void to.pan(dx, event.pointerType === "touch" ? 0 : dy);
    const distance = (/** @type {{x: number, y: number}} */ at) =>
      Math.max(10, Math.hypot(at.x - other.x, at.y - other.y));
    to.pan(dx / 2, dy / 2);
    to.zoom(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    node.addEventListener(end, (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (moved > STILL) to.end();
    });
  }
  node.addEventListener("pointerleave", () => to.hover(null));
  node.addEventListener("click", (event) => {
    if (moved <= STILL) to.click(event);
  });
  node.addEventListener("dblclick", (event) => {
    if (moved <= STILL) to.open(event);
  });
}
