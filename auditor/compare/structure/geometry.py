"""Where a convolution's or a pooling's window stands: kernel, stride and the padding that takes part.

Of a padding at the far side only what a window reaches counts: with a stride of 2 a symmetrical
padding of 1 and ``same`` give outputs of one size, shifted against each other (FWD-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from auditor.compare.structure.operation import Operation

Pads = list[list[int]]
#: Operations that leave an image its extents.
_POINTWISE: Final = frozenset({"activation", "dropout", "batchnorm", "layernorm", "groupnorm", "rmsnorm", "noise"})
#: Axes of what is taken for an image.
_ROWS: Final = 2


def of_torch(told: Mapping[str, Any], extents: Any, kind: str) -> dict[str, Any]:
    """Settings of a module or of a node of autograd's graph.

    Args:
        told: ``kernel_size``, ``stride``, ``padding``, ``dilation``.
        extents: of the input, without samples and channels; None where unknown.
        kind: of the operation.
    """
    rank = _rank(told, extents)
    kernel = _spread(told.get("kernel_size"), rank)
    stride = _spread(told.get("stride") or kernel, rank)
    dilation = _spread(told.get("dilation") or 1, rank)
    if kernel is None or stride is None or dilation is None:
        counted = told.get("count_include_pad")
        return {} if counted is None else {"border": "counted" if counted else "left out"}
    found: dict[str, Any] = {"kernel": kernel, "stride": stride, "dilation": dilation}
    padding = told.get("padding", 0)
    if kind == "conv_transpose":
        margins, more = (_spread(told.get(name) or 0, rank) or [0] * rank for name in ("padding", "output_padding"))
        ends = [[near, near - far] for near, far in zip(margins, more, strict=True)]
        return found | {"padding": ends} | _given(_extents(extents, rank))
    if isinstance(padding, str) and padding not in {"same", "valid"}:
        return found | {"padding": padding}
    if isinstance(padding, str):
        return found | {"pads": same(padding, kernel, stride, dilation, _extents(extents, rank))}
    margins = _spread(padding, rank) or [0] * rank
    near = [[margin, margin] for margin in margins]
    if told.get("ceil_mode"):
        found["ceil"] = True
    found["pads"] = reached(near, kernel, stride, dilation, _extents(extents, rank))
    found["_slack"] = slack(near, kernel, stride, dilation, _extents(extents, rank))
    found |= _given(_extents(extents, rank))
    if kind == "average_pool" and any(margins):
        found["border"] = "counted" if told.get("count_include_pad", True) else "left out"
    return found


def of_keras(told: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The same of a layer of Keras."""
    shape = told.get("input_shape")
    extents = _between(shape, str(told.get("data_format") or "channels_last"))
    if kind == "pad":
        padding = told.get("padding")
        pairs = padding if isinstance(padding, list) else [padding] * len(extents or [0])
        margins: Pads = [list(pair) if isinstance(pair, list) else [int(pair or 0)] * 2 for pair in pairs]
        return {"pads": margins, **_given(None if extents is None else _wider(extents, margins))}
    rank = len(extents) if extents else _rank(told, None)
    if "count_include_pad" in told:
        return {"border": "counted" if told["count_include_pad"] else "left out"}
    kernel = _spread(told.get("kernel_size", told.get("pool_size")), rank)
    stride = _spread(told.get("strides") or kernel, rank)
    dilation = _spread(told.get("dilation_rate") or 1, rank)
    if kernel is None or stride is None or dilation is None:
        return {}
    found: dict[str, Any] = {"kernel": kernel, "stride": stride, "dilation": dilation}
    padding = str(told.get("padding", "valid"))
    if kind == "conv_transpose":
        return found | {"padding": _cropped(padding, kernel, stride, dilation)}
    if padding == "causal":
        return found | {"pads": [[(k - 1) * d, 0] for k, d in zip(kernel, dilation, strict=True)]}
    pads = same(padding, kernel, stride, dilation, extents)
    found["pads"] = pads
    found["_slack"] = slack([[0, 0] for _ in kernel] if padding == "valid" else pads, kernel, stride, dilation, extents)
    if kind == "average_pool" and pads is not None and any(any(pair) for pair in pads):
        found["border"] = "left out"
    return found | _given(extents)


def _given(extents: Sequence[int] | None) -> dict[str, Any]:
    """What an operation works on, or a padding makes: by it the padding's own operation is known."""
    return {} if extents is None else {"_over": list(extents)}


def _wider(extents: Sequence[int], pads: Pads) -> list[int]:
    return [extent + sum(pair) for extent, pair in zip(extents, pads, strict=False)]


def of_rank(found: Sequence[Operation]) -> list[Operation]:
    """Pools of sequences as such, among convolutions of one axis: PyTorch takes them for images of one row."""
    ranks = {len(one.settings["kernel"]) for one in found if "conv" in one.kind and one.settings.get("kernel")}
    return [_without_row(one) if ranks == {1} and one.kind.endswith("pool") else one for one in found]


def cut_by_hand(found: Sequence[Operation]) -> list[Operation]:
    """Without the ends of transposed convolutions whose output is none of the extents that the next window is over.

    The program cuts it to size itself: ``self.up(h)[:, :, :8, :8]``.
    """
    kept = list(found)
    for at, one in enumerate(found):
        after = next((two for two in found[at + 1 :] if two.kind not in _POINTWISE), None)
        made, over = _made(one), None if after is None else after.settings.get("_over")
        if made is not None and over is not None and made != over:
            kept[at] = replace(one, settings={name: each for name, each in one.settings.items() if name != "padding"})
    return kept


def _made(one: Operation) -> list[int] | None:
    """The extents of what a transposed convolution gives; None of another operation, or where nobody knows."""
    parts = [one.settings.get(name) for name in ("_over", "kernel", "stride", "dilation", "padding")]
    if one.kind != "conv_transpose" or not all(isinstance(part, list) for part in parts):
        return None
    return [(extent - 1) * step + (size - 1) * apart + 1 - sum(ends)
            for extent, size, step, apart, ends in zip(*parts, strict=True)]  # fmt: skip


def of_one_rank(left: Sequence[Operation], right: Sequence[Operation]) -> tuple[list[Operation], list[Operation]]:
    """Both networks with pools of sequences as such, where one of them has pools of no other kind."""
    sides = [left, right]
    for at, other in enumerate((right, left)):
        ranks = {len(one.settings.get("kernel") or ()) for one in other if one.kind.endswith("pool")} - {0}
        if ranks == {1}:
            sides[at] = [_without_row(one) if one.kind.endswith("pool") else one for one in sides[at]]
    return [*sides[0]], [*sides[1]]


def _without_row(one: Operation) -> Operation:
    extents = [list(one.settings.get(name) or ()) for name in ("kernel", "stride", "dilation")]
    if not all(len(each) == _ROWS and each[0] == 1 for each in extents):
        return one
    cut = {name: value[1:] for name, value in one.settings.items() if isinstance(value, list) and len(value) == _ROWS}
    return replace(one, settings={**one.settings, **cut})


def _cropped(padding: str, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Pads:
    """What a transposed convolution of Keras takes off the ends of its output; less than nothing is added."""
    beyond = [(size - 1) * apart + 1 - step for size, step, apart in zip(kernel, stride, dilation, strict=True)]
    if padding == "same":
        return [[max(0, more) // 2, more - max(0, more) // 2] for more in beyond]
    return [[0, min(0, more)] for more in beyond]


def same(
    padding: str, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], extents: Sequence[int] | None
) -> Pads | None:
    """What ``same`` or ``valid`` amounts to; None where it depends on extents that are unknown."""
    if padding != "same":
        return [[0, 0] for _ in kernel]
    if extents is None:
        if any(step != 1 for step in stride):
            return None
        extents = [1 << 16 for _ in kernel]
    found = []
    for extent, size, step, apart in zip(extents, kernel, stride, dilation, strict=True):
        total = max(0, (-(-extent // step) - 1) * step + (size - 1) * apart + 1 - extent)
        found.append([total // 2, total - total // 2])
    return found


def reached(
    pads: Pads, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], extents: Sequence[int] | None
) -> Pads | None:
    """Padding as far as a window reaches; None where that depends on extents that are unknown."""
    if extents is None:
        return pads if all(step == 1 for step in stride) or not any(any(pair) for pair in pads) else None
    found = []
    for (near, far), extent, size, step, apart in zip(pads, extents, kernel, stride, dilation, strict=True):
        window = (size - 1) * apart + 1
        last = (extent + near + far - window) // step * step + window
        found.append([near, max(0, last - extent - near)])
    return found


def slack(
    pads: Pads | None,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    extents: Sequence[int] | None,
) -> list[int] | None:
    """How much of what a layer is given no window reaches, at the far side; None where nobody knows."""
    if all(step == 1 for step in stride):
        return [0] * len(stride)
    if extents is None or pads is None:
        return None
    found = []
    for (near, far), extent, size, step, apart in zip(pads, extents, kernel, stride, dilation, strict=True):
        window = (size - 1) * apart + 1
        found.append(max(0, extent - ((extent + near + far - window) // step * step + window - near)))
    return found


def padding_of_torch(told: Mapping[str, Any]) -> dict[str, Any]:
    """``pads`` of a module of PyTorch that pads, which counts its pairs from the last axis on."""
    flat = told.get("padding")
    if not isinstance(flat, list) or len(flat) % 2:
        return {}
    return {"pads": [flat[at : at + 2] for at in range(0, len(flat), 2)][::-1]}


def added(settings: Mapping[str, Any], more: Any) -> dict[str, Any]:
    """A layer's settings behind a padding: its own and as much of the other as its windows reach."""
    pads, left = settings["pads"], settings.get("_slack")
    rest = {name: value for name, value in settings.items() if name != "pads"}
    if not isinstance(pads, list) or not isinstance(more, list) or len(pads) != len(more):
        return dict(settings)
    if left is None:
        return rest
    return rest | {"pads": [[a + c, b + max(0, d - e)] for (a, b), (c, d), e in zip(pads, more, left, strict=True)]}


def _rank(told: Mapping[str, Any], extents: Any) -> int:
    if isinstance(extents, list) and extents:
        return len(extents)
    for key in ("kernel_size", "pool_size", "stride", "strides"):
        if isinstance(told.get(key), (list, tuple)):
            return len(told[key])
    name = str(told.get("class", ""))
    return next((rank for rank in (1, 2, 3) if f"{rank}d" in name.lower()), 2)


def _spread(value: Any, rank: int) -> list[int] | None:
    if isinstance(value, int):
        return [value] * rank
    if isinstance(value, (list, tuple)) and all(isinstance(part, int) for part in value):
        return list(value) * rank if len(value) == 1 else list(value)
    return None


def _extents(extents: Any, rank: int) -> list[int] | None:
    known = isinstance(extents, list) and len(extents) == rank and all(isinstance(one, int) for one in extents)
    return list(extents) if known else None


def _between(shape: Any, layout: str) -> list[int] | None:
    """The extents between samples and channels."""
    if not isinstance(shape, list) or len(shape) < 3 or any(isinstance(part, list) for part in shape):
        return None
    inner = shape[2:] if layout == "channels_first" else shape[1:-1]
    return list(inner) if all(isinstance(extent, int) for extent in inner) else None
