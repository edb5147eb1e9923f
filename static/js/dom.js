// Elements without markup strings: text goes in as text.

/**
 * An element with properties, attributes and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]  `class` and any attribute; false, null and undefined leave it out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children);
  return node;
}

/**
 * A button that does something.
 * @param {string | (Node | string)[]} content
 * @param {(event: MouseEvent) => unknown} run
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 */
export function button(content, run, attributes) {
  const node = element("button", { type: "button", ...attributes }, ...[content].flat());
  node.addEventListener("click", run);
  return node;
}

/**
 * The element with an id that the page is known to have.
 * @template {HTMLElement | SVGElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/**
 * Set a text if it is another one: an equal text written again would still cost a layout.
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * How far below the top of an element a pointer is. An element may begin at a fraction of a pixel, but
 * is painted from a whole one, and a row of a heatmap may be one pixel high.
 * @param {MouseEvent} event
 * @param {Element} node
 */
export function heightUnder(event, node) {
  const pixels = window.devicePixelRatio;
  return event.clientY - Math.round(node.getBoundingClientRect().top * pixels) / pixels;
}

/**
 * Whether a pointer is dragged with its main button; a finger scrolls instead.
 * @param {PointerEvent} event
 */
export const isDrag = (event) => event.pointerType === "mouse" && event.buttons === 1;

/** A custom property of the page, the theme's current one. @param {string} name */
export const cssValue = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * A popover that is filled when it opens, by a module that is loaded then.
 * @param {string} id
 * @param {(popover: HTMLElement) => Promise<unknown>} fill
 */
export function fillOnOpening(id, fill) {
  const popover = byId(id);
  popover.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open") fill(popover);
  });
  // Somebody may have been quicker than the script that fills it.
  if (popover.matches(":popover-open")) fill(popover);
}

/**
 * The styles of a view that is loaded later. A saved session has them in itself, asleep.
 * @param {string} href
 * @returns {Promise<void>}
 */
export function loadStyles(href) {
  document.querySelector(`style[data-href="${href}"]`)?.removeAttribute("media");
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = element("link", { rel: "stylesheet", href });
  return new Promise((resolve) => {
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
}

/** @param {HTMLCanvasElement} canvas */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas");
  return context;
}

/**
 * Size a canvas for the screen it is on; returns its context, scaled to CSS pixels and cleared.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width  CSS pixels
 * @param {number} height
 */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = context2d(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
