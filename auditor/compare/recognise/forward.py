"""What the layers compute: FWD-*. Two networks side by side, each difference with the size that replaying it shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from auditor.compare.profile import Profile
from auditor.compare.recognise import (
    activations,
    biases,
    fed_back,
    layouts,
    links,
    network,
    shares,
    sizes,
    skipped,
    sums,
    tables,
    unseen,
)
from auditor.compare.recognise.cause import Cause, between, close
from auditor.compare.recognise.unseen import NORMS, PROJECTED
from auditor.compare.structure import Difference, differences, of_one_stock, unrolled, words
from auditor.compare.structure.operations import IN_ORDER, WEIGHTED

#: Entries by setting, of any kind or of one.
_ENTRIES: Final[Mapping[str, str]] = {
    "batchnorm.epsilon": "FWD-01",
    "epsilon": "FWD-06",
    "rate": "FWD-07",
    "inverted": "FWD-07",
    "approximate": "FWD-08",
    "slope": "FWD-09",
    "hardsigmoid.slope": "FWD-10",
    "function": "FWD-10",
    "alpha": "FWD-10",
    "activation": "FWD-10",
    "gates": "FWD-10",
    "pads": "FWD-11",
    "border": "FWD-12",
    "reset_after": "FWD-15",
    "first": "FWD-16",
    "along_time": "FWD-16",
    "conv_transpose.padding": "FWD-18",
    "mode": "FWD-19",
    "corners": "FWD-19",
    "heads": "FWD-20",
    "head_units": "FWD-20",
    "embedding.padding": "FWD-21",
}
#: Layers that do within what a program may write out, and axes of a kernel for each of several layers.
_CLOSED: Final = frozenset({"lstm", "gru", "rnn", "attention"})
_KERNELS: Final = 3
#: Layers whose weights the frameworks cut into tensors otherwise: two biases against one.
_CUT: Final = frozenset({"lstm", "gru", "rnn"})
#: Tensors of PyTorch's attention in which the projections of queries, keys and values lie one after the other.
_PACKED: Final = ("in_proj_weight", "in_proj_bias")
#: Settings that the first of attention's products has for the whole.
_OF_ATTENTION: Final = frozenset({"causal", "padded", "heads", "head_units", "along_time"})
#: What tells that an activation is another one.
_FUNCTIONS: Final = frozenset({"FWD-08", "FWD-09", "FWD-10"})
_ALONE: Final = {"dropout": "FWD-07", "activation": "FWD-10"}


#: What a model was called with, and what it gave.
_END: Final = re.compile(r"(input|output)\d+")


_Share = Mapping[str, Any]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """What one network has and the other has not, and what both have and set otherwise."""
    if not (unseen.of_another(a) or unseen.of_another(b) or unseen.behind(a, b) or unseen.behind(b, a)):
        yield from _causes(a, b)


def _causes(a: Profile, b: Profile) -> Iterator[Cause]:
    runs, rest = (a, b), unrolled.both_ways(*unrolled.without(a.structure, b.structure))
    unrolls = rest != (a.structure, b.structure)
    a, b = (replace(side, structure=left) for side, left in zip((a, b), rest, strict=True))
    found = [] if _stacked(a, b) else differences(a.structure, b.structure)
    cells: list[Difference] = []
    if _sizes(a) and any(sizes_of(a) == sizes_of(b) for sizes_of in (_sizes, _as_they_lie, _with_one_bias)):
        # Weights of the same sizes: a table of positions that is a layer on one side and a bare weight on the other.
        cells = _written_out(found, a, b)
        found = [one for one in found if one not in cells and (one.setting or one.operation.kind not in WEIGHTED)]
        found = [one for one in found if one.setting != "bias"]  # added elsewhere: behind a residual connection
        if any(one.setting == "units" for one in found) and of_one_stock(a.structure, b.structure):
            found = []  # branches beside each other, told in another order: in a row other widths make other sizes
        elif len(_widths(a)) != len(_widths(b)):  # where layers of the program's own hide some, none has its partner
            found = [one for one in found if one.setting != "units"]
    stepped = _stepped(a) or _stepped(b)
    if stepped:  # of a cell that a loop steps each side tells some steps
        found = [one for one in found if one.setting or not _in_both(one, a, b)]
    found = [one for one in found if not links.in_loss(one, a, b) and not tables.measured(one, a, b)]
    if _branched(a) or _branched(b):
        if any(one.setting == "kernel" for one in found) and of_one_stock(a.structure, b.structure):
            found = []  # Keras tells a window of each width from its last input on, PyTorch as they are called
        # Of branches beside each other none comes first; of a block that adds up, a normalisation does.
        found = [one for one in found if one.setting != "order" or (one.operation.kind in NORMS and _adds(a, b))]
    elif _adds(a) or _adds(b):  # the layer on a block's way around may run before the block or after it
        found = [one for one in found if one.setting != "order" or one.operation.kind not in WEIGHTED - NORMS]
    found = [one for one in found if not unseen.may_be(one, a, b)]
    ran = a.structure.ran and b.structure.ran
    told = [
        *(_cause(block, a, b, ran=ran) for block in _blocks(found)),
        *_axes(a, b),
        *shares.causes(a, b),
    ]
    told += [*_backwards(a, b), *_mixed(a, b), *layouts.causes(a, b), *fed_back.causes(a, b), *biases.causes(*runs)]
    told += activations.causes(a, b) if not any(cause.id in _FUNCTIONS for cause in told) else []
    told += tables.causes(a, b)
    told += skipped.causes(a, b) if not any(cause.id == "FWD-21" for cause in told) else []
    yield from told
    if not found and not unrolls:
        yield from sums.causes(a, b) if not (cells or stepped) else ()
        yield from _tensors(a, b)
    if not told and not unrolls:
        yield from network.causes(a, b)


def _stepped(side: Profile) -> bool:
    """Whether more layers with a kernel ran than there are kernels; a normalisation has none."""
    first = side.evidence.first
    told = {} if first is None else first.of("weight")
    kernels = sum(len(PROJECTED) if name.endswith(_PACKED) else 1 for name, one in told.items() if len(one.shape) > 1)
    ran = sum(one.kind in WEIGHTED - NORMS for one in side.structure.operations)
    return 0 < kernels < ran


def _in_both(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether both sides have an activation of this kind somewhere."""
    function = one.operation.settings.get("function")
    return function is not None and all(
        any(each.settings.get("function") == function for each in side.structure.operations) for side in (a, b)
    )


def _widths(side: Profile) -> list[Any]:
    """Units of the layers with weights that are told."""
    return [one.settings.get("units") for one in side.structure.operations if one.kind in WEIGHTED]


def _branched(side: Profile) -> bool:
    """Whether something is computed side by side: of several inputs, into several outputs, joined by Keras's layer."""
    first = side.evidence.first
    ends = [
        name for name in (() if first is None else [*first.of("batch"), *first.of("output")]) if _END.fullmatch(name)
    ]
    several = max(Counter(name.rstrip("0123456789") for name in ends).values(), default=0) > 1
    return several or any(words.plain(one.get("class")) == "concatenate" for one in side.layers)


def _adds(*sides: Profile) -> bool:
    """Whether each network has residual connections."""
    return all((side.structure.sums or {}).get("add", 0) > 0 for side in sides)


def _backwards(a: Profile, b: Profile) -> Iterator[Cause]:
    """Recurrent layers of Keras that read from the end: declared, for nobody is told of a flip before the other's."""
    sides = [_reversed(side) for side in (a, b)]
    if sides[0] != sides[1] and None not in sides:
        effect = "a recurrent layer reads its sequence from the end on one side"
        yield Cause("FWD-00", "recurrent.backwards", (sides[0], sides[1]), sizes.ANOTHER, effect, "declared", 0.7)


def _reversed(side: Profile) -> bool | None:
    """Whether one does; None without any."""
    if not any(one.kind in _CUT for one in side.structure.operations):
        return None
    if any(one.get("class") == "Bidirectional" or one.get("bidirectional") for one in side.layers):
        return None  # one of its two layers does, whatever the program asked for
    told = [one.get("config") for one in side.layers]
    return any(isinstance(one, Mapping) and bool(one.get("go_backwards")) for one in told)


def _mixed(a: Profile, b: Profile) -> Iterator[Cause]:
    """Answers that are worked out of other samples too: a view where axes were to be moved."""
    counts = [side.structure.mixes for side in (a, b)]
    if bool(counts[0]) != bool(counts[1]):
        effect = "a view takes numbers of several samples for one row on one side: axes were to be moved first"
        words = tuple("samples are mixed" if count else "apart" for count in counts)
        mend: Literal["a", "b"] = "a" if counts[0] else "b"
        yield Cause("FWD-00", "forward.mixed", (words[0], words[1]), sizes.ANOTHER, effect, confidence=0.9, mend=mend)


def _tensors(a: Profile, b: Profile) -> Iterator[Cause]:
    """Weights of a size that one side has more often, where the layers tell no difference: a table, a tied kernel.

    Nothing is said where both sides have some that the other lacks, nor of recurrent layers: frameworks
    cut the same weights into other tensors.
    """
    left, right = _complete(a), _complete(b)
    cut = any(one.kind in _CUT for side in (a, b) for one in side.structure.operations)
    if left is None or right is None or cut:
        return
    left, right = _unpacked(left), _unpacked(right)
    sizes_a, sizes_b = Counter(left.values()), Counter(right.values())
    more, less = sizes_a - sizes_b, sizes_b - sizes_a
    if bool(more) == bool(less):
        return
    owner, extra, other = (left, more, sizes_b) if more else (right, less, sizes_a)
    names = [next(name for name, size in reversed(owner.items()) if size == lacking) for lacking in extra]
    side = a if more else b
    if not all(unseen.moves(side, name) for name in names) or set(names) & unseen.still(side):
        return  # a part that no gradient reaches, or no step, is none of what is trained: a head that was replaced
    told = f"{', '.join(names)}: on one side only"
    twice = "; the other side has one tensor of that size, which it may use twice"
    effect = told + (twice if all(size in other for size in extra) else "")
    values = (", ".join(names), "none") if more else ("none", ", ".join(names))
    yield Cause("FWD-00", "forward.weights", values, sizes.ANOTHER, effect, confidence=0.9)


def _unpacked(found: Mapping[str, int]) -> dict[str, int]:
    """With the three projections of PyTorch's attention, which lie in one tensor, apart."""
    apart: dict[str, int] = {}
    for name, size in found.items():
        packed = name.endswith(_PACKED) and size % len(PROJECTED) == 0
        apart |= {f"{name}.{part}": size // len(PROJECTED) for part in PROJECTED} if packed else {name: size}
    return apart


def _complete(side: Profile) -> dict[str, int] | None:
    """Elements of each weight by name; None where the recording may lack some, or holds some that do not train."""
    model = (side.manifest or {}).get("model")
    if side.evidence.first is None or not isinstance(model, Mapping):
        return None
    found = {name: one.size for name, one in side.evidence.first.of("weight").items()}
    whole = sum(found.values()) == model.get("trainable_parameters", model.get("parameters"))
    return found if whole and all(layer.get("trainable", True) for layer in side.layers) else None


def _written_out(found: Sequence[Difference], a: Profile, b: Profile) -> list[Difference]:
    """What one side does within a cell that it writes out, where the other has a layer: gates, their sums."""
    alone = [one for one in found if not one.setting]
    closed = {one.a is None for one in alone if one.operation.kind in _CLOSED}
    if len(closed) != 1 or not (a if True in closed else b).structure.own:
        return []
    return [one for one in alone if (one.a is None) not in closed]


def _stacked(a: Profile, b: Profile) -> bool:
    """Whether one side has the weights of several of the other's layers in one: experts, heads, all in one product."""
    sizes_ = [_sizes(side) for side in (a, b)]
    if not all(sizes_) or sizes_[0] == sizes_[1] or sum(sizes_[0]) != sum(sizes_[1]):
        return False
    return any(_of_no_layer(side) for side in (a, b))


def _of_no_layer(side: Profile) -> bool:
    """Whether a weight of three axes is no layer's: a kernel for each of several."""
    first = side.evidence.first
    names = [str(one.get(key)) for one in side.layers for key in ("name", "path") if one.get(key)]
    paths = tuple(f"{name}{mark}" for name in names for mark in "./")
    told = {} if first is None else first.of("weight")
    return any(len(one.shape) == _KERNELS and not (paths and name.startswith(paths)) for name, one in told.items())


def _sizes(side: Profile) -> list[int]:
    """Elements of each weight, sorted; the three projections of PyTorch's attention apart."""
    return sorted(_unpacked(_elements(side)).values())


def _as_they_lie(side: Profile) -> list[int]:
    """Elements of each weight, sorted: a program may have the three projections in one, as PyTorch's attention has."""
    return sorted(_elements(side).values())


def _with_one_bias(side: Profile) -> list[int]:
    """Elements of each weight, sorted, without the second bias that PyTorch's recurrent layers add to the first."""
    return sorted(size for name, size in _elements(side).items() if "bias_hh" not in name)


def _elements(side: Profile) -> dict[str, int]:
    first = side.evidence.first
    return {} if first is None else {name: one.size for name, one in first.of("weight").items()}


def _blocks(found: Sequence[Difference]) -> Iterator[list[Difference]]:
    """Operations that one side alone has, one after the other, are one block: a layer with its activation."""
    block: list[Difference] = []
    for one in found:
        if block and not (_same_side(block[-1], one) and one.place - block[-1].place <= 1):
            yield block
            block = []
        block.append(one)
        if one.a is not None and one.b is not None:
            yield block
            block = []
    if block:
        yield block


def _same_side(one: Difference, other: Difference) -> bool:
    return (one.a is None) == (other.a is None) and (one.b is None) == (other.b is None)


def _cause(block: Sequence[Difference], a: Profile, b: Profile, *, ran: bool) -> Cause:
    first = next((one for one in block if one.operation.kind in WEIGHTED), block[0])
    kind = first.operation.kind
    setting = first.setting
    function = first.a.settings.get("function") if first.a is not None else None
    own = _ENTRIES.get(f"{function or kind}.{setting}", _ENTRIES.get(setting, "FWD-00"))
    entry = own if setting else _ALONE.get(kind, "FWD-00")
    size, said = sizes.of(first, a, b)
    values = first.values if setting else (_words(block, 0), _words(block, 1))
    kind = str(function) if kind == "activation" and setting not in {"", "function"} else kind
    kind = "attention" if setting in _OF_ATTENTION and kind == "dense" else kind
    parameter = f"{kind}.{setting}" if setting else f"forward.{kind}"
    ran = ran and not _by_hand(first, a, b)
    return Cause(entry, parameter, values, size, said, "measured" if ran else "declared", 0.95 if ran else 0.8)


def _by_hand(one: Difference, a: Profile, b: Profile) -> bool:
    """Whether a side may leave out by hand what the other's table masks: a mask in the mean, the last word's state.

    A program in PyTorch may, and a model of Keras's that calls its layers itself: with a mask of its own.
    """
    if one.operation.kind != "embedding" or one.setting != "padding":
        return False
    lacking = [side for side, value in zip((a, b), one.values, strict=True) if not value]
    return a.framework != b.framework and any(side.framework == "torch" or _calls(side) for side in lacking)


def _calls(side: Profile) -> bool:
    """Whether a model calls its layers in a function of its own, not in the order that it lists."""
    model = (side.manifest or {}).get("model")
    kind = model.get("class") if isinstance(model, Mapping) else None
    return kind is not None and str(kind) not in IN_ORDER


def _words(block: Sequence[Difference], side: int) -> str:
    words = [found.word for one in block if (found := (one.a, one.b)[side]) is not None]
    return " + ".join(words) or "none"


#: Settings that say along which axis a layer works: only frameworks that count axes alike can be compared.
_AXES: Final = {"batchnorm": ("axis", "FWD-04"), "softmax": ("axis", "FWD-22")}


def _axes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Layers along other axes, as declared."""
    for kind, (name, entry) in _AXES.items():
        both = between(a, b, f"forward.{kind}")
        if both is None or len(both[0].value) != len(both[1].value):
            continue
        for left, right in zip(both[0].value, both[1].value, strict=True):
            if name in left and name in right and not close(left[name], right[name]):
                values = (left[name], right[name])
                effect = "the layer works along another axis"
                yield Cause(entry, f"{kind}.{name}", values, sizes.ANOTHER, effect, "declared", 0.8)
                break
