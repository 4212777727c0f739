"""Device code: the twelve statistics of many CUDA tensors in one launch, and a small one to merge.

A tensor is cut into tasks of ``block * rounds`` elements; one program takes one task, whatever its
tensor's dtype, and writes seven numbers and three counts. :func:`merge`, one program per tensor,
joins them by counts, means and centred squares (Chan, Golub and LeVeque 1983) in a fixed order and
writes the words. Nothing here depends on the order in which programs run: results are bit-stable.

A task is first summed in float32 lanes (:func:`_sums`), eight instructions per element. If what
comes out is not good enough (something non-finite, squares that over- or underflow, a mean that
drowns the spread), the task is read again, mostly from the L2 cache, in float64 (:func:`_exact`).
Float64 tensors always go that way.

Loads are aligned to 16 bytes wherever a tensor begins (DDP's and FSDP's gradients are views into
buckets): a task's window starts at the aligned address at or before its first element and masks
what is not the tensor's. The host's side is ``capture.triton_plan``.
"""

from __future__ import annotations

from typing import Final

import triton
import triton.language as tl

#: Element types, as the ``kinds`` argument names them.
FLOAT32: Final = tl.constexpr(0)
FLOAT64: Final = tl.constexpr(1)
BFLOAT16: Final = tl.constexpr(2)
FLOAT16: Final = tl.constexpr(3)
#: Bytes to which a task's window is aligned: the widest load of a thread.
ALIGNMENT: Final = tl.constexpr(16)
#: Counters of a histogram, with the bounds of ``auditor_agent.histogram``.
BINS: Final = tl.constexpr(64)
#: What a task leaves behind: rows of the float64 and the int32 matrix of partial results.
MOMENT_ROWS: Final = tl.constexpr(5)  # mean, centred squares, squares, min, max
TALLY_ROWS: Final = tl.constexpr(4)  # finite, NaN, Inf, zeros

_INF: Final = tl.constexpr(float("inf"))
_FLT_MAX: Final = tl.constexpr(3.4028234663852886e38)
#: The same bounds as in the C kernel: squares beyond leave float32's normal range.
_SQUARES: Final = tl.constexpr(1e38)
_TINY: Final = tl.constexpr(1e-15)
#: Below this part of the squares, the centred squares have lost four bits to cancellation.
_CANCELLING: Final = tl.constexpr(0.0625)


@triton.jit
def _float32(x: tl.tensor) -> tl.tensor:
    """Loaded elements as float32; 16-bit integers are bfloat16's bits, the upper half of float32's."""
    if x.dtype == tl.int16:
        return (x.to(tl.int32) << 16).to(tl.float32, bitcast=True)
    return x.to(tl.float32)


@triton.jit
def _sums(
    pointer: tl.tensor, low: tl.tensor, high: tl.tensor, masked: tl.constexpr, block: tl.constexpr, rounds: tl.constexpr
) -> tl.tensor:
    """Sum, squares, min, max and zeros of elements low..high of a window, in float32 lanes."""
    lanes = tl.arange(0, block)
    total = tl.zeros([block], tl.float32)
    squares = tl.zeros([block], tl.float32)
    least = tl.full([block], _INF, tl.float32)
    most = tl.full([block], -_INF, tl.float32)
    zeros = tl.zeros([block], tl.int32)
    if masked:
        for i in range(tl.cdiv(high, block)):
            at = i * block + lanes
            inside = (at >= low) & (at < high)
            x = _float32(tl.load(pointer + at, mask=inside, other=0))
            total += x
            squares += x * x
            least = tl.minimum(least, tl.where(inside, x, _INF))
            most = tl.maximum(most, tl.where(inside, x, -_INF))
            zeros += (inside & (x == 0)).to(tl.int32)
    else:
        # Four loads in flight per thread: a single one would wait for the memory most of the time.
        for i in tl.range(0, rounds, loop_unroll_factor=4):
            x = _float32(tl.load(pointer + i * block + lanes))
            total += x
            squares += x * x
            least = tl.minimum(least, x)
            most = tl.maximum(most, x)
            zeros += (x == 0).to(tl.int32)
    return tl.sum(total), tl.sum(squares), tl.min(least), tl.max(most), tl.sum(zeros)


@triton.jit
def _wide(base: tl.tensor, kind: tl.tensor, at: tl.tensor, inside: tl.tensor) -> tl.tensor:
    """Elements ``at`` of a window as float64, exactly; 0 where not ``inside``."""
    x = tl.zeros(at.shape, tl.float64)
    if kind == FLOAT32:
        x = tl.load(base.to(tl.pointer_type(tl.float32)) + at, mask=inside, other=0).to(tl.float64)
    elif kind == FLOAT64:
        x = tl.load(base.to(tl.pointer_type(tl.float64)) + at, mask=inside, other=0)
    elif kind == BFLOAT16:
        x = _float32(tl.load(base.to(tl.pointer_type(tl.int16)) + at, mask=inside, other=0)).to(tl.float64)
    else:
        x = _float32(tl.load(base.to(tl.pointer_type(tl.float16)) + at, mask=inside, other=0)).to(tl.float64)
    return x


@triton.jit
def _exact(base: tl.tensor, kind: tl.tensor, low: tl.tensor, high: tl.tensor, block: tl.constexpr) -> tl.tensor:
    """Mean, centred squares, squares, min, max and the four counts, in two passes of float64."""
    lanes = tl.arange(0, block)
    share = tl.zeros([block], tl.float64)
    squares = tl.zeros([block], tl.float64)
    least = tl.full([block], _INF, tl.float64)
    most = tl.full([block], -_INF, tl.float64)
    finite = tl.zeros([block], tl.int32)
    nan = tl.zeros([block], tl.int32)
    inf = tl.zeros([block], tl.int32)
    zeros = tl.zeros([block], tl.int32)
    # Divided before it is summed: the sum of float64 values may overflow, their mean may not.
    part = 1.0 / tl.maximum(high - low, 1).to(tl.float64)
    for i in range(tl.cdiv(high, block)):
        at = i * block + lanes
        inside = (at >= low) & (at < high)
        x = _wide(base, kind, at, inside)
        good = inside & (tl.abs(x) < _INF)
        value = tl.where(good, x, 0.0)
        share += value * part
        squares += value * value
        least = tl.minimum(least, tl.where(good, x, _INF))
        most = tl.maximum(most, tl.where(good, x, -_INF))
        finite += good.to(tl.int32)
        nan += (x != x).to(tl.int32)
        inf += (tl.abs(x) == _INF).to(tl.int32)
        zeros += (inside & (x == 0)).to(tl.int32)
    count = tl.sum(finite)
    mean = tl.sum(share) * ((high - low).to(tl.float64) / tl.maximum(count, 1).to(tl.float64))
    centred = tl.zeros([block], tl.float64)
    for i in range(tl.cdiv(high, block)):
        at = i * block + lanes
        inside = (at >= low) & (at < high)
        x = _wide(base, kind, at, inside)
        apart = tl.where(inside & (tl.abs(x) < _INF), x - mean, 0.0)
        centred += apart * apart
    return (
        mean,
        tl.sum(centred),
        tl.sum(squares),
        tl.min(least),
        tl.max(most),
        count,
        tl.sum(nan),
        tl.sum(inf),
        tl.sum(zeros),
    )


@triton.jit
def _bins(
    base: tl.tensor, kind: tl.tensor, low: tl.tensor, high: tl.tensor, counters: tl.tensor, block: tl.constexpr
) -> None:
    """Add the magnitudes of a window to 64 counters: bin b is for [2^(b-40), 2^(b-39))."""
    lanes = tl.arange(0, block)
    bins = tl.arange(0, BINS)
    counted = tl.zeros([BINS], tl.int32)
    for i in range(tl.cdiv(high, block)):
        at = i * block + lanes
        inside = (at >= low) & (at < high)
        x = _wide(base, kind, at, inside)
        exponent = ((x.to(tl.int64, bitcast=True) >> 52) & 0x7FF).to(tl.int32)
        bin_ = tl.minimum(tl.maximum(exponent - (1023 - 40), 0), BINS - 1)
        given = inside & (x == x)
        # What is no number or not inside goes to the last bin, and is taken out again.
        counted += tl.histogram(tl.where(given, bin_, BINS - 1), BINS)
        counted -= tl.where(bins == BINS - 1, block - tl.sum(given.to(tl.int32)), 0)
    tl.atomic_add(counters + bins, counted)


@triton.jit
def _quick(
    base: tl.tensor,
    kind: tl.tensor,
    low: tl.tensor,
    high: tl.tensor,
    masked: tl.constexpr,
    block: tl.constexpr,
    rounds: tl.constexpr,
) -> tl.tensor:
    """:func:`_sums` for the dtype at hand."""
    # Told of the pointer where it is made: a hint on a function's argument is lost when it is inlined.
    if kind == FLOAT32:
        words = tl.multiple_of(base.to(tl.pointer_type(tl.float32)), ALIGNMENT)
        total, squares, least, most, zeros = _sums(words, low, high, masked, block, rounds)
    elif kind == BFLOAT16:
        brains = tl.multiple_of(base.to(tl.pointer_type(tl.int16)), ALIGNMENT)
        total, squares, least, most, zeros = _sums(brains, low, high, masked, block, rounds)
    else:
        halves = tl.multiple_of(base.to(tl.pointer_type(tl.float16)), ALIGNMENT)
        total, squares, least, most, zeros = _sums(halves, low, high, masked, block, rounds)
    return total, squares, least, most, zeros


@triton.jit
def partial(
    table: tl.tensor,
    sizes: tl.tensor,
    kinds: tl.tensor,
    owners: tl.tensor,
    offsets: tl.tensor,
    moments: tl.tensor,
    tallies: tl.tensor,
    counters: tl.tensor,
    block: tl.constexpr,
    rounds: tl.constexpr,
    histogram: tl.constexpr,
) -> None:
    """One task's partial results.

    Args:
        table: int64[R], address of each tensor's first element.
        sizes: int64[R], elements of each.
        kinds: int32[R], dtype of each.
        owners: int32[tasks], the tensor that a task belongs to.
        offsets: int64[tasks], where its window begins, in elements from the tensor's aligned start.
        moments: float64[5, tasks], written.
        tallies: int32[4, tasks], written.
        counters: int32[R, 64], added to; read only if ``histogram``.
        block: elements per round.
        rounds: rounds per task.
        histogram: whether to count magnitudes.
    """
    task = tl.program_id(0)
    tasks = tl.num_programs(0)
    tensor = tl.load(owners + task)
    offset = tl.load(offsets + task)
    size = tl.load(sizes + tensor)
    kind = tl.load(kinds + tensor)
    address = tl.load(table + tensor)
    width = tl.where(kind == FLOAT64, 8, tl.where(kind == FLOAT32, 4, 2)).to(tl.int64)
    lead = (address & (ALIGNMENT - 1)) // width
    base = address + (offset - lead) * width
    low = tl.minimum(tl.maximum(lead - offset, 0), block * rounds).to(tl.int32)
    high = tl.minimum(tl.maximum(lead + size - offset, 0), block * rounds).to(tl.int32)
    count = high - low

    total = 0.0
    rough = float("inf")  # float64 tensors fail the test below with it
    low_end = 0.0
    high_end = 0.0
    zeros = 0
    if kind != FLOAT64:
        if count == block * rounds:
            total, rough, low_end, high_end, zeros = _quick(base, kind, low, high, False, block, rounds)
        else:
            total, rough, low_end, high_end, zeros = _quick(base, kind, low, high, True, block, rounds)
    top = tl.maximum(-low_end, high_end)
    finite = count
    nan = 0
    inf = 0
    squares = tl.cast(rough, tl.float64)
    wide = tl.cast(total, tl.float64)
    mean = wide / tl.maximum(count, 1).to(tl.float64)
    centred = squares - wide * mean
    least = tl.cast(low_end, tl.float64)
    most = tl.cast(high_end, tl.float64)
    good = (rough < _SQUARES) & ((top == 0) | (top >= _TINY)) & (centred >= squares * _CANCELLING)
    if not good:
        mean, centred, squares, least, most, finite, nan, inf, zeros = _exact(base, kind, low, high, block // 4)

    row = moments + task
    tl.store(row, mean)
    tl.store(row + tasks, centred)
    tl.store(row + 2 * tasks, squares)
    tl.store(row + 3 * tasks, least)
    tl.store(row + 4 * tasks, most)
    tally = tallies + task
    tl.store(tally, finite)
    tl.store(tally + tasks, nan)
    tl.store(tally + 2 * tasks, inf)
    tl.store(tally + 3 * tasks, zeros)
    if histogram:
        _bins(base, kind, low, high, counters + tensor.to(tl.int64) * BINS, block)


@triton.jit
def _tally(row: tl.tensor, task: tl.tensor, inside: tl.tensor) -> tl.tensor:
    """Counts of some tasks, as int64."""
    return tl.load(row + task, mask=inside, other=0).to(tl.int64)


@triton.jit
def _count(value: tl.tensor) -> tl.tensor:
    """A count as the bits of a saturating uint32."""
    return tl.minimum(value, 0xFFFFFFFF).to(tl.uint32).to(tl.int32, bitcast=True)


@triton.jit
def _moment(value: tl.tensor) -> tl.tensor:
    """A moment as the bits of a saturating float32."""
    return tl.minimum(tl.maximum(value, -_FLT_MAX), _FLT_MAX).to(tl.float32).to(tl.int32, bitcast=True)


@triton.jit
def merge(
    sizes: tl.tensor,
    firsts: tl.tensor,
    moments: tl.tensor,
    tallies: tl.tensor,
    words: tl.tensor,
    tasks: tl.tensor,
    block: tl.constexpr,
) -> None:
    """One tensor's column of words, from the partial results of its tasks.

    Args:
        sizes: int64[R], elements of each tensor.
        firsts: int32[R + 1], the first task of each tensor, and the number of tasks.
        moments: float64[5, tasks], as :func:`partial` wrote them.
        tallies: int32[4, tasks], likewise.
        words: int32[12, R], written.
        tasks: the number of tasks.
        block: tasks per round.
    """
    tensor = tl.program_id(0)
    tensors = tl.num_programs(0)
    first = tl.load(firsts + tensor)
    last = tl.load(firsts + tensor + 1)
    lanes = tl.arange(0, block)
    finite = tl.zeros([block], tl.int64)
    nan = tl.zeros([block], tl.int64)
    inf = tl.zeros([block], tl.int64)
    zeros = tl.zeros([block], tl.int64)
    squares = tl.zeros([block], tl.float64)
    least = tl.full([block], _INF, tl.float64)
    most = tl.full([block], -_INF, tl.float64)
    for start in range(first, last, block):
        task = start + lanes
        inside = task < last
        finite += _tally(tallies, task, inside)
        nan += _tally(tallies + tasks, task, inside)
        inf += _tally(tallies + 2 * tasks, task, inside)
        zeros += _tally(tallies + 3 * tasks, task, inside)
        squares += tl.load(moments + 2 * tasks + task, mask=inside, other=0.0)
        some = inside & (tl.load(tallies + task, mask=inside, other=0) > 0)
        least = tl.minimum(least, tl.load(moments + 3 * tasks + task, mask=some, other=_INF))
        most = tl.maximum(most, tl.load(moments + 4 * tasks + task, mask=some, other=-_INF))
    count = tl.sum(finite)
    each = 1.0 / tl.maximum(count, 1).to(tl.float64)
    middle = tl.zeros([block], tl.float64)
    for start in range(first, last, block):
        task = start + lanes
        part = _tally(tallies, task, task < last).to(tl.float64) * each
        middle += part * tl.load(moments + task, mask=task < last, other=0.0)
    mean = tl.sum(middle)
    spread = tl.zeros([block], tl.float64)
    for start in range(first, last, block):
        task = start + lanes
        part = _tally(tallies, task, task < last).to(tl.float64) * each
        apart = tl.where(part > 0, tl.load(moments + task, mask=task < last, other=0.0) - mean, 0.0)
        within = tl.load(moments + tasks + task, mask=task < last, other=0.0)
        spread += tl.where(part > 0, within * each + part * apart * apart, 0.0)
    square = tl.sum(squares)
    bottom = tl.where(count > 0, tl.min(least), 0.0)
    peak = tl.where(count > 0, tl.max(most), 0.0)

    out = words + tensor
    tl.store(out, _count(tl.load(sizes + tensor)))
    tl.store(out + tensors, _count(tl.sum(nan)))
    tl.store(out + 2 * tensors, _count(tl.sum(inf)))
    tl.store(out + 3 * tensors, _count(tl.sum(zeros)))
    tl.store(out + 4 * tensors, _moment(mean))
    tl.store(out + 5 * tensors, _moment(tl.sqrt(tl.sum(spread))))
    tl.store(out + 6 * tensors, _moment(bottom))
    tl.store(out + 7 * tensors, _moment(peak))
    tl.store(out + 8 * tensors, _moment(tl.maximum(-bottom, peak)))
    tl.store(out + 9 * tensors, _moment(tl.sqrt(square)))
    tl.store(out + 10 * tensors, _moment(mean * count.to(tl.float64)))
    tl.store(out + 11 * tensors, _moment(square))
