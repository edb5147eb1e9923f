// Encoded frames in a WebM file that says how long it is and can be sought in.
// https://www.matroska.org/technical/elements.html

/**
 * @typedef {object} Frame
 * @property {number} time  milliseconds from the start
 * @property {boolean} key  whether it stands for itself
 * @property {Uint8Array} data
 */

/** A cluster's blocks count their time from its own, in 16 bits with a sign. */
const LONGEST_CLUSTER = 30_000;
/** Sizes and places that are known only later take this many bytes. */
const PLACE = 8;

/**
 * @param {{codec: "V_VP8" | "V_VP9", width: number, height: number, duration: number, frames: Frame[]}} video  `duration` in milliseconds
 * @returns {Blob}
 */
export function webm({ codec, width, height, duration, frames }) {
  const head = element(0x1a45dfa3, [
    element(0x4286, unsigned(1)), // EBMLVersion
    element(0x42f7, unsigned(1)), // EBMLReadVersion
    element(0x42f2, unsigned(4)), // EBMLMaxIDLength
    element(0x42f3, unsigned(8)), // EBMLMaxSizeLength
    element(0x4282, text("webm")), // DocType
    element(0x4287, unsigned(4)), // DocTypeVersion
    element(0x4285, unsigned(2)), // DocTypeReadVersion
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, unsigned(1_000_000)), // TimestampScale: milliseconds
    element(0x4489, float(duration)), // Duration
    element(0x4d80, text("Gatescope")), // MuxingApp
    element(0x5741, text("Gatescope")), // WritingApp
  ]);
  const tracks = element(0x1654ae6b, [
    element(0xae, [
      element(0xd7, unsigned(1)), // TrackNumber
      element(0x73c5, unsigned(1)), // TrackUID
      element(0x83, unsigned(1)), // TrackType: video
      element(0x9c, unsigned(0)), // FlagLacing
      element(0x86, text(codec)), // CodecID
      element(0xe0, [element(0xb0, unsigned(width)), element(0xba, unsigned(height))]), // Video
    ]),
  ]);
  const clusters = clustersOf(frames);
  const bodies = clusters.map(clusterOf);
  // Where a cluster lies is counted from the first byte in the segment, the cues before it included.
  const cues = (/** @type {number[]} */ places) =>
    element(
      0x1c53bb6b,
      clusters.map(([first], n) =>
        element(0xbb, [
          element(0xb3, unsigned(Math.round(first.time))), // CueTime
          element(0xb7, [
            element(0xf7, unsigned(1)), // CueTrack
            element(0xf1, unsigned(places[n], PLACE)), // CueClusterPosition
          ]),
        ]),
      ),
    );
  let place = info.length + tracks.length + cues(clusters.map(() => 0)).length;
  const places = bodies.map((body) => (place += body.length) - body.length);
  const segment = [info, tracks, cues(places), ...bodies];
  const size = segment.reduce((sum, part) => sum + part.length, 0);
  const parts = [head, bytes(0x18538067), length(size), ...segment];
  return new Blob(/** @type {BlobPart[]} */ (parts), { type: "video/webm" });
}

/** Frames that are read together, each beginning with one that stands for itself. @param {Frame[]} frames */
function clustersOf(frames) {
  /** @type {Frame[][]} */
  const clusters = [];
  for (const frame of frames) {
    const last = clusters.at(-1);
    if (last && !frame.key && frame.time - last[0].time < LONGEST_CLUSTER) last.push(frame);
    else clusters.push([frame]);
  }
  return clusters;
}

/** @param {Frame[]} frames */
function clusterOf(frames) {
  const start = Math.round(frames[0].time);
  return element(0x1f43b675, [
    element(0xe7, unsigned(start)), // Timestamp
    ...frames.map(({ time, key, data }) => {
      const after = Math.round(time) - start;
      // Track 1, the time after the cluster's, flags; then the frame.
      const head = Uint8Array.of(0x81, after >> 8, after & 0xff, key ? 0x80 : 0);
      return element(0xa3, [head, data]); // SimpleBlock
    }),
  ]);
}

/**
 * @param {number} id
 * @param {Uint8Array | Uint8Array[]} content
 */
function element(id, content) {
  const parts = Array.isArray(content) ? content : [content];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return join([bytes(id), length(size), ...parts]);
}

/** @param {Uint8Array[]} parts */
function join(parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A size, always in eight bytes. @param {number} size */
function length(size) {
  const coded = unsigned(size, PLACE);
  coded[0] = 0x01;
  return coded;
}

/** A number in as few bytes as it needs, or in so many. @param {number} value @param {number} [count] */
function unsigned(value, count = 0) {
  /** @type {number[]} */
  const digits = [];
  for (let rest = value; rest > 0 || digits.length < Math.max(1, count);) {
    digits.unshift(rest % 256);
    rest = Math.floor(rest / 256);
  }
  return Uint8Array.from(digits);
}

/** An id as it stands in the file. @param {number} id */
const bytes = (id) => unsigned(id);

/** @param {number} value */
function float(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return new Uint8Array(view.buffer);
}

/** @param {string} value */
const text = (value) => new TextEncoder().encode(value);
