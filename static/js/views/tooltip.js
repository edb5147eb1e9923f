// One tooltip for all pictures.

import { byId, element } from "../dom.js";

export function createTooltip() {
  const tooltip = byId("tooltip");
  return {
    /**
     * @param {PointerEvent | MouseEvent} event
     * @param {string[]} lines
     */
    show(event, lines) {
      tooltip.replaceChildren(...lines.map((line) => element("div", {}, line)));
      tooltip.hidden = false;
      const { width, height } = tooltip.getBoundingClientRect();
      const left = Math.min(event.clientX + 14, window.innerWidth - width - 8);
      const below = event.clientY + 18 + height < window.innerHeight;
      tooltip.style.left = `${Math.max(8, left)}px`;
      tooltip.style.top = `${below ? event.clientY + 18 : event.clientY - height - 12}px`;
    },
    hide() {
      tooltip.hidden = true;
    },
  };
}

/** @typedef {ReturnType<typeof createTooltip>} Tooltip */
