// The playback as a video: a figure drawn once for every step.

/** @import {Figure} from '../types.js' */
/** @import {Page} from '../page.js' */
/** @import {Recording} from '../recording.js' */
/** @import {Frame} from './webm.js' */

import { context2d, element } from "../dom.js";
import { compose } from "./figure.js";
import { Recording as Recorded } from "../recording.js";
import { selectedCell, selectedTimestep } from "../state.js";
import { webm } from "./webm.js";

/** Pixels of a frame, at most, along either side and altogether. */
const LONGEST = 1920;
const AREA = 1_600_000;
/** Frames that stand for themselves, so often: where a player can go to at once. */
const KEY_EVERY = 24;
/** Numbers of a step that have not come after this time are left out. */
const PATIENCE = 4000;

/**
 * @typedef {object} Clip
 * @property {number} from  step
 * @property {number} to  the last one, included
 * @property {number} speed  steps a second
 * @property {boolean} light
 */

/** Whether this browser makes videos at all, and if not, why. @returns {string | null} */
export function whyNoVideo() {
  if ("VideoEncoder" in window || recorderType()) return null;
  return "This browser cannot make videos. Chromium, Firefox and Safari of the last years can.";
}

/** What MediaRecorder makes here. */
function recorderType() {
  if (!("MediaRecorder" in window) || !("captureStream" in HTMLCanvasElement.prototype))
    return null;
  const types = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
  return types.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/**
 * A video of some steps of the playback. The page plays along, and is afterwards where it was.
 * @param {Page} page
 * @param {Recording} recording
 * @param {Figure} figure
 * @param {Clip} clip
 * @param {{signal: AbortSignal, onProgress: (part: number) => void}} task
 * @returns {Promise<Blob>}
 */
export async function makeVideo(page, recording, figure, clip, { signal, onProgress }) {
  const { state, actions } = page;
  actions.pause();
  const before = { step: state.step.get(), cell: selectedCell(state) };
  const steps = Array.from({ length: clip.to - clip.from + 1 }, (_, n) => clip.from + n);
  try {
    const stage = createStage(page, recording, figure, clip.light);
    const make = (await encoderConfig(stage.canvas, clip.speed)) ? encode : capture;
    return await make(stage.canvas, steps.length, clip.speed, async (n) => {
      signal.throwIfAborted();
      actions.goToStep(steps[n]);
      await settled(page, recording);
      signal.throwIfAborted();
      await patiently(stage.paint);
      onProgress((n + 1) / steps.length);
    });
  } finally {
    if (state.recording.get() === recording) {
      actions.goToStep(before.step);
      actions.selectCell(before.cell, true);
    }
  }
}

/**
 * The canvas of the video, and how a frame comes onto it.
 * @param {Page} page
 * @param {Recording} recording
 * @param {Figure} figure
 * @param {boolean} light
 */
function createStage(page, recording, figure, light) {
  const picture = () => compose(page, recording, figure, { light });
  const { width, height } = picture();
  // A caption may take a line more at another step.
  const tall = height + 2 * 19;
  const scale = Math.min(1.5, LONGEST / width, LONGEST / tall, Math.sqrt(AREA / (width * tall)));
  const even = (/** @type {number} */ size) => 2 * Math.max(1, Math.round((size * scale) / 2));
  const canvas = element("canvas", { width: even(width), height: even(tall) });
  const context = context2d(canvas);
  return {
    canvas,
    paint() {
      context.reset();
      const now = picture();
      context.fillStyle = light ? "#ffffff" : page.theme.get().background;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.scale(canvas.width / width, canvas.height / tall);
      now.paint(context);
    },
  };
}

/** Wait until the page stands at its step, with the numbers of it. @param {Page} page @param {Recording} recording */
async function settled({ state }, recording) {
  const names = state.quantities.get().map(({ name }) => name);
  const end = performance.now() + PATIENCE;
  do {
    // A tab in the background has no frames.
    await Promise.race([new Promise(requestAnimationFrame), pause(250)]);
    const t = selectedTimestep(state, recording);
    const wanted = Recorded.names(selectedCell(state), names);
    if (wanted.every((name) => recording.row(name, t))) return;
    recording.want(wanted, t, t + 1);
    await pause(20);
  } while (performance.now() < end);
}

/** A view may still be without its numbers, and says so. @param {() => void} paint */
async function patiently(paint) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return paint();
    } catch (error) {
      if (performance.now() > end) throw error;
      await pause(50);
    }
  }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @typedef {(n: number) => Promise<void>} Paint  brings one frame onto the canvas */

/**
 * How frames can be encoded here as fast as they are drawn; null where they cannot.
 * @param {HTMLCanvasElement} canvas
 * @param {number} speed
 * @returns {Promise<VideoEncoderConfig | null>}
 */
async function encoderConfig({ width, height }, speed) {
  if (!("VideoEncoder" in window)) return null;
  for (const codec of ["vp09.00.40.08", "vp8"]) {
    // Pictures of text and hard edges: more bits than a film of as many pixels would need.
    const bitrate = Math.round(width * height * Math.max(4, speed) * 0.4);
    const config = { codec, width, height, bitrate, framerate: Math.max(1, speed) };
    const { supported } = await VideoEncoder.isConfigSupported(config).catch(() => ({
      supported: false,
    }));
    if (supported) return config;
  }
  return null;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} count
 * @param {number} speed
 * @param {Paint} paint
 */
async function encode(canvas, count, speed, paint) {
  const config = /** @type {VideoEncoderConfig} */ (await encoderConfig(canvas, speed));
  /** @type {Frame[]} */
  const frames = [];
  /** @type {unknown} */
  let failed = null;
  const encoder = new VideoEncoder({
    output(chunk) {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      frames.push({ time: chunk.timestamp / 1000, key: chunk.type === "key", data });
    },
    error: (error) => (failed = error),
  });
  try {
    encoder.configure(config);
    for (let n = 0; n < count; n++) {
      await paint(n);
      const frame = new VideoFrame(canvas, {
        timestamp: Math.round((n * 1e6) / speed),
        duration: Math.round(1e6 / speed),
      });
      encoder.encode(frame, { keyFrame: n % KEY_EVERY === 0 });
      frame.close();
      while (encoder.encodeQueueSize > 3 && !failed) await pause(5);
      if (failed) throw failed;
    }
    await encoder.flush();
  } finally {
    if (encoder.state !== "closed") encoder.close();
  }
  const { width, height } = canvas;
  const codec = config.codec === "vp8" ? "V_VP8" : "V_VP9";
  return webm({ codec, width, height, duration: (count * 1000) / speed, frames });
}

/**
 * The same in the time that the playback takes, where a browser records only what it shows.
 * @param {HTMLCanvasElement} canvas
 * @param {number} count
 * @param {number} speed
 * @param {Paint} paint
 */
async function capture(canvas, count, speed, paint) {
  const type = recorderType();
  if (!type) throw new Error(whyNoVideo() ?? "");
  await paint(0);
  const stream = canvas.captureStream(0);
  const [track] = /** @type {CanvasCaptureMediaStreamTrack[]} */ (stream.getVideoTracks());
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 6_000_000 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  try {
    for (let n = 0; n < count; n++) {
      const due = performance.now() + 1000 / speed;
      if (n) await paint(n);
      track.requestFrame();
      await pause(due - performance.now());
    }
    track.requestFrame();
  } finally {
    recorder.stop();
    await stopped;
    track.stop();
  }
  return new Blob(parts, { type: type.split(";")[0] });
}
