// The page inside another one: a line instead of the header, and playing when it comes into sight.

/** @import {Page} from '../page.js' */
/** @import {Readable} from '../types.js' */

import { dress } from "./dress.js";
import { button, element, write } from "../dom.js";
import { label } from "../label.js";
import { selectedModel, steps } from "../state.js";
import { linkOf, toFragment } from "../url.js";

/** @param {Page} page */
export function createEmbedView({ state, actions }) {
  const name = element("h1");
  const text = element("bdi");
  const play = button("▶", actions.togglePlay, { class: "play" });
  const out = element(
    "a",
    { href: "#", target: "_blank", rel: "noopener", title: "The same screen in a tab of its own" },
    "Open in Gatescope ↗",
  );
  // The screen as it is when it is asked for.
  for (const event of ["pointerdown", "focus", "click"])
    out.addEventListener(event, () => {
      const fragment = toFragment({ ...linkOf(state), embed: "" });
      out.href = location.pathname + location.search + fragment;
    });
  const line = element(
    "div",
    { id: "embed-line", role: "banner", hidden: true },
    play,
    name,
    text,
    out,
  );
  document.body.prepend(line);

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let visible = false;
  /** Whether it may begin by itself: once, and again where it was out of sight. */
  let willing = true;
  const observer = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      visible = isIntersecting;
      if (!visible && state.playing.get()) {
        willing = true;
        actions.pause();
      }
      begin();
    },
    { threshold: 0.4 },
  );

  function begin() {
    const recording = state.recording.get();
    const asked = state.embed.get().split(",").includes("play");
    if (!asked || !visible || !willing || !recording || calm.matches) return;
    if (state.playing.get() || state.step.get() >= steps(state, recording) - 1) return;
    willing = false;
    actions.togglePlay();
  }

  state.recording.subscribe(begin);

  return {
    name: "embed",
    reads: /** @type {Readable<any>[]} */ ([
      state.hide,
      state.embed,
      state.recording,
      state.models,
      state.model,
      state.text,
      state.playing,
    ]),
    paint() {
      dress(state.hide.get(), state.embed.get());
      const embedded = state.embed.get() !== "";
      if (line.hidden === embedded) {
        line.hidden = !embedded;
        if (embedded) observer.observe(document.documentElement);
        else observer.disconnect();
      }
      write(name, label(selectedModel(state)?.title ?? ""));
      write(text, state.text.get().slice(0, 300).split(/\s+/).map(label).join(" "));
      write(play, state.playing.get() ? "❚❚" : "▶");
      play.setAttribute("aria-label", state.playing.get() ? "Pause" : "Play");
    },
  };
}
