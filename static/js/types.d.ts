/** Shapes shared by the modules of the page. What comes from the server is named as its schemas are. */

export type Direction = "forward" | "backward";
export type Order = "sentence" | "processing";
export type Precision = "float32" | "float64";
export type Tab =
  "states" | "unit" | "network" | "cell" | "compare" | "paths" | "predictions" | "write" | "shapes";
export type ColourScale = "fixed" | "layer" | "row";
export type Sort = "index" | "peak" | "mean" | "variance" | "similarity" | "cluster";
/** What one pixel says of several values: the one furthest from their mean, or the mean. */
export type Statistic = "extreme" | "mean";
/** Which rows of the network the heatmaps show. */
export type Rows = "all" | "one";

export interface Quantity {
  name: string;
  label: string;
  formula: string;
  sentence: string;
  scale: "sequential" | "diverging";
  low: number | null;
  high: number | null;
  shown_low: number;
  shown_high: number;
}

/** One module of the stack; its options are named as in PyTorch. */
export interface Module {
  kind: "LSTM" | "BackwardLSTM" | "LSTMCell";
  input_size: number;
  hidden_size: number;
  num_layers: number;
  bias: boolean;
  bidirectional: boolean;
  proj_size: number;
}

/** One layer, numbered through the whole stack; `output_size` is the width of h of one direction. */
export interface Layer {
  module: number;
  directions: Direction[];
  input_size: number;
  hidden_size: number;
  output_size: number;
}

/** The LSTMs from the bottom up; of a list, h_n is a tuple with an entry for each module. */
export interface Stack {
  modules: Module[];
  listed: boolean;
  layers: Layer[];
}

export type Task = "next_token" | "tag" | "classify" | "value";

export interface Model {
  id: string;
  digest: string;
  title: string;
  source: "box" | "folder" | "opened" | "fresh";
  task: Task | null;
  /** What the head is given at a timestep. */
  reads: "each" | "last" | "mean" | "max";
  split: string;
  columns: string[];
  lstm: Stack;
  embedding: Record<string, number>;
  vocabulary: Record<string, number>;
  parameters: number;
  examples: string[];
  /** Weights from along its training, the earliest first; each is a model of its own. */
  checkpoints: TrainingCheckpoint[];
  /** Of which model this is a checkpoint; such models are made by the page. */
  checkpoint_of?: string;
  card: Record<string, unknown>;
}

/** A model as it was after `step` of `of` steps; `validation` is what was measured then. */
export interface TrainingCheckpoint {
  id: string;
  digest: string;
  step: number;
  of: number;
  validation: number;
}

export interface Feature {
  name: string;
  value: string;
  known: boolean;
}

export interface Token {
  text: string;
  start: number;
  end: number;
  known: boolean;
  features: Feature[];
}

export interface Parity {
  difference: number | null;
  tolerance: number;
  where: string | null;
  ok: boolean;
}

export interface RecordingPublic {
  id: string;
  model: string;
  model_digest: string;
  text: string;
  precision: Precision;
  timesteps: number;
  tokens: Token[];
  lstm: Stack;
  parity: Parity;
  not_finite: string | null;
  predictions: { task: Task; labels: string[]; targets: (number | null)[] | null } | null;
  arrays: {
    name: string;
    shape: number[];
    dtype: string;
    low: number | null;
    high: number | null;
    finite: boolean;
  }[];
  nbytes: number;
}

/** CKA of arrays with arrays; null where a state never changes or is not finite. */
export interface Similarity {
  names: string[];
  other_names: string[];
  /** Over how many pairs of timesteps. */
  timesteps: number;
  cka: (number | null)[][];
}

/** Two arrays at pairs of timesteps; numbers are null without a partner. */
export interface Comparison {
  names: [string, string];
  widths: [number, number];
  /** The timesteps of both; null where a token has no partner. */
  pairs: [number | null, number | null][];
  /** Whether the tokens are the same. */
  same: boolean[];
  cosine: (number | null)[];
  distance: (number | null)[];
  relative: (number | null)[];
  norm: (number | null)[];
  other_norm: (number | null)[];
  cka: number | null;
  mean_cosine: number | null;
  /** The first pair, in the order of computing, beyond the threshold or without a partner. */
  parts_at: number | null;
  threshold: number;
  predictions: {
    top: [string | null, string | null][];
    /** Half the sum of the differences of all probabilities. */
    moved: (number | null)[];
  } | null;
}

/** The unit of another array that moves most like this one; null where this one never moves. */
export interface UnitMatch {
  unit: number;
  other_unit: number | null;
  correlation: number | null;
  one_to_one_unit: number | null;
  one_to_one_correlation: number | null;
}

/** What a language model is asked to write; `first` is the id of the label that comes first. */
export interface ContinuationCreate {
  model: string;
  text: string;
  precision: Precision;
  tokens: number;
  method: "greedy" | "sample";
  temperature: number;
  top_k: number | null;
  top_p: number | null;
  seed: number;
  first: number | null;
}

/** A token a model wrote, what it was chosen from, and what the step that read it computed. */
export interface WrittenToken extends Token {
  /** Of its label. */
  id: number;
  timestep: number;
  /** What it added to the text. */
  appended: string;
  probability: number;
  rank: number;
  entropy: number;
  chosen_from: number;
  /** The most probable labels: id and probability. */
  top: [number, number][];
  /** Names and widths of the arrays in `states`. */
  arrays: [string, number][];
  /** float32 in base64, one array after another. */
  states: string;
}

/** A list of strings in a file: a vocabulary, labels. */
export interface Table {
  name: string;
  entries: number;
  sample: string[];
}

export interface Checkpoint {
  id: string;
  name: string;
  nbytes: number;
  format: string;
  notes: string[];
  tensors: { name: string; shape: number[]; dtype: string }[];
  tables: Table[];
  proposal: Proposal;
}

export interface Vocabulary {
  id: string;
  name: string;
  nbytes: number;
  tables: Table[];
}

/** One choice; `asked` where the guess, its value, might as well be another. */
export interface Field {
  name: string;
  question: string;
  value: string;
  options: { value: string; label: string; detail: string }[];
  asked: boolean;
  why: string;
}

/** What could be made of a checkpoint; `problem` says why nothing can. */
export interface Proposal {
  fields: Field[];
  lstm: Stack;
  unused: string[];
  notes: string[];
  problem: string | null;
}

export interface About {
  version: string;
  plotly: string | null;
  plotly_url: string | null;
  limits: {
    max_characters: number;
    max_tokens: number;
    max_table_characters: number;
    max_file_bytes: number;
    max_checkpoint_bytes: number;
    max_vocabulary_bytes: number;
    max_tab_bytes: number;
  };
}

/** RFC 9457, with our three extra members. */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  came?: string | null;
  expected?: string | null;
  exists?: string[] | null;
}

export type Numbers = Float32Array | Float64Array;

/** A row-major array of one or two axes. */
export interface NDArray {
  shape: number[];
  data: Numbers;
}

/** One row of the network: a layer and direction. */
export interface Cell {
  layer: number;
  direction: Direction;
}

/** Where a cell stands in time: what is computed now, and what has been (both ends included). */
export interface Progress {
  now: number | null;
  from: number;
  to: number;
}

/** A value that can be watched. */
export interface Atom<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: (value: T) => void): () => void;
}

export interface Readable<T> {
  get(): T;
  subscribe(listener: (value: T) => void): () => void;
}

/** The part of the time axis on the screen. */
export interface TimeWindow {
  columnWidth: number;
  first: number;
  last: number;
  offset: number;
}

/** What figures are drawn on: a canvas, or what writes the same calls down as SVG. */
export type Surface = Pick<
  CanvasRenderingContext2D,
  | "fillStyle"
  | "strokeStyle"
  | "lineWidth"
  | "globalAlpha"
  | "font"
  | "textAlign"
  | "textBaseline"
  | "imageSmoothingEnabled"
  | "save"
  | "restore"
  | "translate"
  | "scale"
  | "beginPath"
  | "moveTo"
  | "lineTo"
  | "arc"
  | "quadraticCurveTo"
  | "bezierCurveTo"
  | "rect"
  | "roundRect"
  | "closePath"
  | "clip"
  | "fill"
  | "stroke"
  | "fillRect"
  | "strokeRect"
  | "fillText"
  | "measureText"
> & {
  setLineDash(segments: number[]): void;
  drawImage(image: HTMLCanvasElement, x: number, y: number, width: number, height: number): void;
};

/** A view as a picture and as a table, for keeping and for those who do not see pictures. */
export interface Figure {
  /** What is shown, in words: "layer 1 forward, all quantities". */
  title(): string;
  /** Height in CSS pixels of the picture at this width, without caption. */
  height(width: number): number;
  draw(surface: Surface, width: number): void;
  table(): { caption: string; columns: string[]; rows: (string | number)[][] };
  /** The arrays and part of them this view shows, for CSV and the like. */
  slice(): { names: string[]; start: number; stop: number; units: number[] | null };
}
