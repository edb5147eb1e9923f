// Principal components where no server can find them: of a saved session, and of a recording that is
// still growing. The same as lstm_core/analysis/paths.py, for recordings that are not large. Pure.

/** @import {NDArray} from '../types.js' */

/** Multiplications that nobody waits for. */
const MOST = 6e8;
/** Matrices up to this size are diagonalised whole. */
const SMALL = 40;
/** Vectors that are iterated beside those that are wanted: the more, the sooner they are found. */
const BESIDE = 7;
const ROUNDS = 400;

/**
 * Arrays as paths in the space of the first components of all their rows.
 * @param {readonly NDArray[]} arrays  [timesteps, units] each, as many units in all
 * @param {number} components
 * @returns {{points: NDArray[], explained: number[]}}  points [timesteps, components], NaN where a row is not finite; shares of the variance
 */
export function principalPaths(arrays, components) {
  const units = arrays[0].shape[1];
  const rows = arrays.flatMap(finiteRows);
  const count = rows.length;
  const size = Math.min(units, count);
  if (size * size * Math.max(units, count) > MOST)
    throw new RangeError(
      `The paths of ${count.toLocaleString("en")} timesteps of ${units} units need Gatescope itself: here they would take too long.`,
    );
  const mean = meanOf(rows, units);
  const centred = rows.map((row) => Float64Array.from(row, (value, u) => value - mean[u]));
  const matrix = units <= count ? scatterOf(centred, units) : productsOf(centred);
  const total = matrix.reduce((sum, row, n) => sum + row[n], 0);
  const { values, vectors } = largest(matrix, Math.min(components, size));
  const real = values.filter((value) => value > total * Math.max(units, count) * Number.EPSILON);
  const loadings = real.map((_, n) =>
    signed(units <= count ? vectors[n] : combined(centred, vectors[n], units)),
  );
  const explained = Array.from({ length: components }, (_, n) => (real[n] ?? 0) / (total || 1));
  const points = arrays.map((array) => projected(array, mean, loadings, components));
  return { points, explained };
}

/**
 * What a server answers when it is asked for the paths of one recording.
 * @param {(name: string) => NDArray} array
 * @param {{name: string[], components: number, space: "own" | "shared"}} asked
 * @returns {Map<string, NDArray>}
 */
export function pathsHere(array, { name: names, components, space }) {
  /** @type {Map<string, NDArray>} */
  const sent = new Map();
  const spaces = space === "shared" ? [names] : names.map((name) => [name]);
  for (const together of spaces) {
    const { points, explained } = principalPaths(together.map(array), components);
    together.forEach((name, n) => sent.set(`0.${name}`, points[n]));
    const key = space === "shared" ? "explained" : `explained.${together[0]}`;
    sent.set(key, { shape: [components], data: Float64Array.from(explained) });
  }
  return sent;
}

/** @param {NDArray} array */
function finiteRows({ shape: [timesteps, units], data }) {
  const rows = Array.from({ length: timesteps }, (_, t) =>
    data.subarray(t * units, (t + 1) * units),
  );
  return rows.filter((row) => row.every(Number.isFinite));
}

/** @param {readonly ArrayLike<number>[]} rows @param {number} units */
function meanOf(rows, units) {
  const mean = new Float64Array(units);
  for (const row of rows) for (let u = 0; u < units; u++) mean[u] += row[u] / rows.length;
  // A unit that never moves has its own value as mean, whatever rounding says.
  for (let u = 0; u < units; u++)
    if (rows.length && rows.every((row) => row[u] === rows[0][u])) mean[u] = rows[0][u];
  return mean;
}

/** Units with units. @param {readonly Float64Array[]} rows @param {number} units */
function scatterOf(rows, units) {
  const matrix = Array.from({ length: units }, () => new Float64Array(units));
  for (const row of rows)
    for (let a = 0; a < units; a++) {
      const [line, value] = [matrix[a], row[a]];
      for (let b = a; b < units; b++) line[b] += value * row[b];
    }
  for (let a = 0; a < units; a++) for (let b = 0; b < a; b++) matrix[a][b] = matrix[b][a];
  return matrix;
}

/** Timesteps with timesteps. @param {readonly Float64Array[]} rows */
const productsOf = (rows) => rows.map((a) => Float64Array.from(rows, (b) => dot(a, b)));

/** @param {Float64Array} a @param {Float64Array} b */
function dot(a, b) {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
  return sum;
}

/** @param {Float64Array} vector */
function unit(vector) {
  const length = Math.sqrt(dot(vector, vector));
  return length ? vector.map((value) => value / length) : vector;
}

/** Rows, so much of each. @param {readonly Float64Array[]} rows @param {Float64Array} parts @param {number} width */
function combined(rows, parts, width) {
  const sum = new Float64Array(width);
  rows.forEach((row, n) => {
    for (let u = 0; u < width; u++) sum[u] += parts[n] * row[u];
  });
  return unit(sum);
}

/** With its value of largest magnitude positive. @param {Float64Array} vector */
function signed(vector) {
  let most = 0;
  vector.forEach((value, n) => {
    if (Math.abs(value) > Math.abs(vector[most])) most = n;
  });
  return vector[most] < 0 ? vector.map((value) => -value) : vector;
}

/** @param {NDArray} array @param {Float64Array} mean @param {readonly Float64Array[]} loadings @param {number} components @returns {NDArray} */
function projected({ shape: [timesteps, units], data }, mean, loadings, components) {
  const points = new Float32Array(timesteps * components);
  for (let t = 0; t < timesteps; t++) {
    const row = data.subarray(t * units, (t + 1) * units);
    const finite = row.every(Number.isFinite);
    for (let n = 0; n < components; n++) {
      let sum = finite ? 0 : NaN;
      if (loadings[n]) for (let u = 0; u < units; u++) sum += (row[u] - mean[u]) * loadings[n][u];
      points[t * components + n] = sum;
    }
  }
  return { shape: [timesteps, components], data: points };
}

/**
 * The largest eigenvalues of a symmetric matrix, the largest first, and their vectors.
 * @param {readonly Float64Array[]} matrix
 * @param {number} count
 */
function largest(matrix, count) {
  const n = matrix.length;
  if (n <= SMALL) return first(diagonalised(matrix), count);
  // A few vectors multiplied again and again turn to the largest ones; within their space those are
  // found exactly (Rayleigh and Ritz).
  const width = Math.min(n, count + BESIDE);
  /** @type {Float64Array[]} */
  let basis = Array.from({ length: width }, (_, k) =>
    Float64Array.from({ length: n }, (_, at) => Math.sin((k + 1) * (at + 1) * 1.618 + k)),
  );
  /** @type {{values: number[], vectors: Float64Array[]}} */
  let found = { values: [], vectors: [] };
  for (let round = 0; round < ROUNDS; round++) {
    basis = orthonormal(basis);
    const moved = basis.map((vector) => Float64Array.from(matrix, (row) => dot(row, vector)));
    const inside = basis.map((a) => Float64Array.from(moved, (b) => dot(a, b)));
    const turned = diagonalised(inside);
    const before = found.values;
    found = {
      values: turned.values,
      vectors: turned.vectors.map((parts) => combined(basis, parts, n)),
    };
    basis = turned.vectors.map((parts) => combined(moved, parts, n));
    const still = found.values
      .slice(0, count)
      .every((value, k) => Math.abs(value - before[k]) <= 1e-15 * found.values[0]);
    if (round > 8 && still) break;
  }
  return first(found, count);
}

/** @param {{values: number[], vectors: Float64Array[]}} found @param {number} count */
const first = ({ values, vectors }, count) => ({
  values: values.slice(0, count),
  vectors: vectors.slice(0, count),
});

/** Gram and Schmidt, twice. @param {Float64Array[]} vectors */
function orthonormal(vectors) {
  /** @type {Float64Array[]} */
  const basis = [];
  for (const vector of vectors) {
    let rest = unit(vector);
    for (let again = 0; again < 2; again++) {
      for (const known of basis) {
        const part = dot(rest, known);
        rest = rest.map((value, n) => value - part * known[n]);
      }
      rest = unit(rest);
    }
    basis.push(rest);
  }
  return basis;
}

/**
 * All eigenvalues of a symmetric matrix, the largest first, and their vectors: Jacobi's rotations (1846).
 * @param {readonly Float64Array[]} symmetric
 */
function diagonalised(symmetric) {
  const n = symmetric.length;
  const a = symmetric.map((row) => Float64Array.from(row));
  const v = a.map((_, k) => Float64Array.from({ length: n }, (_, at) => Number(at === k)));
  const scale = a.reduce((sum, row) => sum + dot(row, row), 0);
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p][q] ** 2;
    if (off <= 1e-32 * scale) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) if (a[p][q]) rotate(a, v, p, q);
  }
  const order = a.map((_, k) => k).sort((x, y) => a[y][y] - a[x][x]);
  return { values: order.map((k) => a[k][k]), vectors: order.map((k) => v[k]) };
}

/** Make a[p][q] 0. @param {Float64Array[]} a @param {Float64Array[]} v  rows are vectors @param {number} p @param {number} q */
function rotate(a, v, p, q) {
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cos = 1 / Math.hypot(t, 1);
  const sin = t * cos;
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k][p], a[k][q]];
    [a[k][p], a[k][q]] = [cos * x - sin * y, sin * x + cos * y];
  }
  for (const rows of [a, v]) {
    const [x, y] = [rows[p], rows[q]];
    const turned = x.map((value, k) => cos * value - sin * y[k]);
    rows[q] = x.map((value, k) => sin * value + cos * y[k]);
    rows[p] = turned;
  }
}
