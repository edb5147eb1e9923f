"""The fast path: one layer and direction on the CPU, compiled by Numba. No torch here.

Only ``W_hh h`` has to wait for the step before. For a single sequence it is bound by reading the
weights, so a unit's four gates are summed in one pass over h: four streams that the processor
fetches ahead. A batch is taken four sequences at a time, which keeps sixteen sums in registers.
The activations of all units follow in one vectorised pass.

σ and tanh come from ``exp(x) = 2^n e^r`` with ``|r| <= ln 2 / 2`` and the Taylor polynomial of
``e^r - 1``, without a branch: a few units in the last place, in both precisions, for small
values, too.
"""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

#: Sums may be reordered: that lets a dot product use the vector registers. NaN and infinity
#: keep their meaning.
_SUMS = {"reassoc", "contract", "nsz"}

_LOG2_E = 1 / math.log(2)
#: ln 2 in two parts, the first with so few digits that n times it is exact.
_LN_2_HIGH = 2839 / 4096
_LN_2_LOW = 3.194618494530941723212145817656807550013e-05
#: 1/n!, so that every division is done here.
_2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13 = (1 / math.factorial(n) for n in range(2, 14))


PRECISIONS = (types.float32, types.float64)
#: Bits of a number's type and of its mantissa, and the bias of its exponent.
_LAYOUT = {types.float32: (32, 23, 127), types.float64: (64, 52, 1023)}


@intrinsic
def _round_shift(_context: Any, x: Any) -> Any:
    """1.5 · 2^mantissa: a sum with it has no room for a fraction, so it becomes an integer."""

    def codegen(_context: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
        return ir.Constant(arguments[0].type, 1.5 * 2 ** _LAYOUT[x][1])

    return x(x), codegen


@intrinsic
def _is_double(_context: Any, x: Any) -> Any:
    def codegen(_context: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(ir.IntType(1), x == types.float64)

    return types.boolean(x), codegen


@intrinsic
def _power_of_two(_context: Any, shifted: Any) -> Any:
    """2^n, from the float n + _round_shift, whose low bits are the integer n."""
    bits, mantissa, bias = _LAYOUT[shifted]
    integer = ir.IntType(bits)

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        n = builder.bitcast(arguments[0], integer)
        exponent = builder.shl(n, ir.Constant(integer, mantissa))
        biased = builder.add(exponent, ir.Constant(integer, bias << mantissa))
        return builder.bitcast(biased, arguments[0].type)

    return shifted(shifted), codegen


@njit(fastmath={"contract"}, inline="always", error_model="numpy")
def _exp_parts(x: Any) -> Any:
    """(2^n, e^r - 1) with exp(x) = 2^n e^r, while 2^n is a normal number, or just infinite."""
    number = type(x)
    shifted = x * number(_LOG2_E) + _round_shift(x)
    n = shifted - _round_shift(x)
    r = (x - n * number(_LN_2_HIGH)) - n * number(_LN_2_LOW)
    p = number(_7)
    if _is_double(x):  # known when it is compiled; float32 ends here
        q = number(_12) + r * number(_13)
        q = number(_11) + r * q
        q = number(_10) + r * q
        q = number(_9) + r * q
        q = number(_8) + r * q
        p += r * q
    p = number(_6) + r * p
    p = number(_5) + r * p
    p = number(_4) + r * p
    p = number(_3) + r * p
    p = number(_2) + r * p
    return _power_of_two(shifted), r + (r * r) * p


@njit(fastmath={"contract"}, inline="always", error_model="numpy")
def _sigmoid(x: Any) -> Any:
    number = type(x)
    y = -x
    # Just far enough for 2^n to be infinite, and the gate shut; NaN is neither, and passes.
    most = number(709.8) if _is_double(x) else number(88.9)
    y = most if y > most else y
    y = number(-87) if y < number(-87) else y
    power, p = _exp_parts(y)
    return number(1) / (number(1) + power * (number(1) + p))


@njit(fastmath={"contract"}, inline="always", error_model="numpy")
def _tanh(x: Any) -> Any:
    number = type(x)
    y = number(-2) * abs(x)
    y = number(-87) if y < number(-87) else y
    power, p = _exp_parts(y)
    e = power * p + (power - number(1))  # exp(-2|x|) - 1, exact where |x| is small
    return math.copysign(-e / (number(2) + e), x)


#: Up to here a sum of products is so short that adding up its lanes takes as long as the products.
_NARROW = 128


#: Numbers between the rows of what is worked in. A power of two apart, they would all fall into
#: the same few places of the cache.
_APART = 16


@njit
def _by_column(W_i: Any, W_f: Any, W_g: Any, W_o: Any) -> Any:
    """The rows of all gates as columns: (width of h, 4H)."""
    units, width = W_i.shape
    W = np.empty((width, 4 * units), W_i.dtype)
    for k in range(width):
        for u in range(units):
            W[k, u] = W_i[u, k]
            W[k, units + u] = W_f[u, k]
            W[k, 2 * units + u] = W_g[u, k]
            W[k, 3 * units + u] = W_o[u, k]
    return W


@njit(fastmath=_SUMS)
def _dots_narrow(W: Any, h: Any, active: Any, z: Any) -> Any:
    """z[b] = h[b] W, four sequences and four rows of W at a time, for whole fours of sequences.

    Here the lanes are the units, and nothing has to be added up across them.
    """
    width, rows = W.shape
    for b in range(0, active - 3, 4):
        for n in range(rows):
            z[b, n] = z[b + 1, n] = z[b + 2, n] = z[b + 3, n] = h.dtype.type(0)
        whole = width - width % 4
        for k in range(0, whole, 4):
            p0, p1, p2, p3 = h[b, k], h[b, k + 1], h[b, k + 2], h[b, k + 3]
            q0, q1, q2, q3 = h[b + 1, k], h[b + 1, k + 1], h[b + 1, k + 2], h[b + 1, k + 3]
            r0, r1, r2, r3 = h[b + 2, k], h[b + 2, k + 1], h[b + 2, k + 2], h[b + 2, k + 3]
            s0, s1, s2, s3 = h[b + 3, k], h[b + 3, k + 1], h[b + 3, k + 2], h[b + 3, k + 3]
            for n in range(rows):
                w0, w1, w2, w3 = W[k, n], W[k + 1, n], W[k + 2, n], W[k + 3, n]
                z[b, n] += p0 * w0 + p1 * w1 + p2 * w2 + p3 * w3
                z[b + 1, n] += q0 * w0 + q1 * w1 + q2 * w2 + q3 * w3
                z[b + 2, n] += r0 * w0 + r1 * w1 + r2 * w2 + r3 * w3
                z[b + 3, n] += s0 * w0 + s1 * w1 + s2 * w2 + s3 * w3
        for k in range(whole, width):
            for n in range(rows):
                z[b, n] += h[b, k] * W[k, n]
                z[b + 1, n] += h[b + 1, k] * W[k, n]
                z[b + 2, n] += h[b + 2, k] * W[k, n]
                z[b + 3, n] += h[b + 3, k] * W[k, n]


@njit(fastmath=_SUMS)
def _dots(W_i: Any, W_f: Any, W_g: Any, W_o: Any, h: Any, begin: Any, active: Any, z: Any) -> Any:
    """z[b, gate · H + u] = W_gate[u] · h[b] for the sequences from ``begin`` to ``active``."""
    units, width = W_i.shape
    zero = h.dtype.type(0)
    for u in range(units):
        b = begin
        while b + 4 <= active:
            i0 = i1 = i2 = i3 = zero
            f0 = f1 = f2 = f3 = zero
            g0 = g1 = g2 = g3 = zero
            o0 = o1 = o2 = o3 = zero
            for k in range(width):
                i, f, g, o = W_i[u, k], W_f[u, k], W_g[u, k], W_o[u, k]
                h0, h1, h2, h3 = h[b, k], h[b + 1, k], h[b + 2, k], h[b + 3, k]
                i0 += i * h0
                f0 += f * h0
                g0 += g * h0
                o0 += o * h0
                i1 += i * h1
                f1 += f * h1
                g1 += g * h1
                o1 += o * h1
                i2 += i * h2
                f2 += f * h2
                g2 += g * h2
                o2 += o * h2
                i3 += i * h3
                f3 += f * h3
                g3 += g * h3
                o3 += o * h3
            z[b, u], z[b, units + u], z[b, 2 * units + u], z[b, 3 * units + u] = i0, f0, g0, o0
            z[b + 1, u], z[b + 1, units + u], z[b + 1, 2 * units + u], z[b + 1, 3 * units + u] = (
                i1,
                f1,
                g1,
                o1,
            )
            z[b + 2, u], z[b + 2, units + u], z[b + 2, 2 * units + u], z[b + 2, 3 * units + u] = (
                i2,
                f2,
                g2,
                o2,
            )
            z[b + 3, u], z[b + 3, units + u], z[b + 3, 2 * units + u], z[b + 3, 3 * units + u] = (
                i3,
                f3,
                g3,
                o3,
            )
            b += 4
        while b < active:
            i0 = f0 = g0 = o0 = zero
            for k in range(width):
                h0 = h[b, k]
                i0 += W_i[u, k] * h0
                f0 += W_f[u, k] * h0
                g0 += W_g[u, k] * h0
                o0 += W_o[u, k] * h0
            z[b, u], z[b, units + u], z[b, 2 * units + u], z[b, 3 * units + u] = i0, f0, g0, o0
            b += 1


@njit(fastmath=_SUMS)
def _project(W_hr: Any, hidden: Any, b: Any, h_state: Any) -> Any:
    """h = W_hr hidden, of sequence b."""
    for p in range(W_hr.shape[0]):
        total = hidden.dtype.type(0)
        for u in range(W_hr.shape[1]):
            total += W_hr[p, u] * hidden[b, u]
        h_state[b, p] = total


@njit(fastmath={"contract"}, error_model="numpy")
def _activate(
    z: Any, b: Any, i: Any, f: Any, g: Any, o: Any, c: Any, row: Any, c_state: Any, hidden: Any
) -> Any:
    """The equations of sequence b; the gates hold W_ih x + b and get their activation."""
    units = c.shape[1]
    for u in range(units):
        i_u = _sigmoid(i[row, u] + z[b, u])
        f_u = _sigmoid(f[row, u] + z[b, units + u])
        g_u = _tanh(g[row, u] + z[b, 2 * units + u])
        o_u = _sigmoid(o[row, u] + z[b, 3 * units + u])
        c_u = f_u * c_state[b, u] + i_u * g_u
        i[row, u], f[row, u], g[row, u], o[row, u], c[row, u] = i_u, f_u, g_u, o_u, c_u
        c_state[b, u] = c_u
        hidden[b, u] = o_u * _tanh(c_u)


@njit(nogil=True)
def run(
    i: Any,
    f: Any,
    g: Any,
    o: Any,
    c: Any,
    h: Any,
    W_i: Any,
    W_f: Any,
    W_g: Any,
    W_o: Any,
    W_hr: Any,
    h_0: Any,
    c_state: Any,
    first: Any,
    lengths: Any,
    stride: Any,
) -> Any:
    """One layer and direction, all timesteps, in place.

    ``i f g o`` come in as W_ih x + b and leave as gates; ``c`` and ``h`` are filled; (rows, units)
    each. ``W_i …`` (H, width of h) are the rows of W_hh, ``W_hr`` (width of h, H) the projection,
    empty if there is none. ``h_0`` is (B, width of h); ``c_state`` (B, H) is overwritten.
    ``first`` and ``lengths`` (B,) say where a sequence's first step is and how many follow,
    ``stride`` rows apart; the longest sequence comes first.
    """
    batch, units = c_state.shape
    projected = W_hr.shape[0] > 0
    z = np.empty((batch, 4 * units + _APART), c.dtype)
    h_state = np.empty((batch, h.shape[1] + _APART), c.dtype)
    h_state[:, : h.shape[1]] = h_0
    hidden = np.empty((batch, units), c.dtype) if projected else h_state
    narrow = batch >= 4 and W_i.shape[1] <= _NARROW
    W = _by_column(W_i, W_f, W_g, W_o) if narrow else np.empty((0, 0), c.dtype)
    active = batch
    for step in range(lengths[0]):
        while lengths[active - 1] <= step:
            active -= 1
        begin = 0
        if narrow:
            _dots_narrow(W, h_state, active, z)
            begin = active - active % 4
        _dots(W_i, W_f, W_g, W_o, h_state, begin, active, z)
        for b in range(active):
            row = first[b] + step * stride
            _activate(z, b, i, f, g, o, c, row, c_state, hidden)
            if projected:
                _project(W_hr, hidden, b, h_state)
            for p in range(h.shape[1]):
                h[row, p] = h_state[b, p]


# Without a folder that it may write to, Numba refuses to keep what it compiled; fine.
with contextlib.suppress(RuntimeError):
    run.enable_caching()


def prepare() -> None:
    """Compile for both precisions, or load what was compiled before."""
    global run
    try:
        _compile()
    except Exception:  # what lies on the disk may be damaged, so once more without it
        run = njit(nogil=True)(run.py_func)
        _compile()


def _compile() -> None:
    for number in PRECISIONS:
        matrix, numbers = number[:, ::1], types.int64[::1]
        run.compile((matrix,) * 13 + (numbers, numbers, types.int64))


def is_wanted_on_disk() -> bool:
    """Whether it could be kept on the disk and is not there yet, as far as one can see."""
    folder = run.stats.cache_path
    if folder is None:
        return False
    source = Path(__file__).stat().st_mtime
    found = [
        path for path in Path(folder).glob("kernel.run-*.nbc") if path.stat().st_mtime > source
    ]
    return len(found) < len(PRECISIONS)
