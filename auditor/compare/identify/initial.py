"""What the weights were drawn from: each kind of weight's distribution and scale against its fans."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import conduct, own_tensors
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Fact
from auditor.ingest.records import Recorded
from auditor_agent.capture.initial import describe, fans_of

CLONES: Final = "init.clones"
WEIGHTS: Final = "init.weights"
_NORM: Final = r"norm"
#: Layers of a manifest by the kind of their weights; the first pattern that matches counts.
_KINDS: Final = (
    ("depthwise", r"depthwise|separable"),
    ("conv_transpose", r"conv\w*transpose"),
    ("conv", r"conv"),
    ("embedding", r"embedding"),
    ("lstm", r"lstm"),
    ("gru", r"gru"),
    ("rnn", r"rnn"),
    ("attention", r"attention"),
    ("prelu", r"prelu"),
    ("norm", _NORM),
    ("dense", r"dense|linear|mlp"),
)
#: What a weight of so many axes is taken for where nothing tells.
_SHAPED: Final = {2: "dense", 3: "conv", 4: "conv", 5: "conv"}
#: Cells whose gates add both biases of PyTorch; a GRU's reset gate stands between them.
_ONE_BIAS: Final = frozenset({"lstm.bias", "rnn.bias"})
_GATES: Final = 4
_CELLS: Final = frozenset({"lstm", "gru", "rnn"})
_BIAS: Final = re.compile(r"(bias|intercepts?|beta)(_|\d|$|\.)")


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers that a manifest lists: their classes by name or path.

    ``weights``: the weights that it lists, as far as they are called as recorded ones are. Others may be of another
    model, whose second layer is called as this one's is. ``model``: what the model is called, in every name before what
    its layers are called.
    """

    classes: Mapping[str, str]
    weights: frozenset[str] = frozenset()
    model: str = ""

    def of(self, name: str) -> str:
        """The class of the layer that a weight is in; nothing where none is known."""
        within = _within if not self.weights or name in self.weights else self._unlisted
        layer = max((path for path in self.classes if within(name, path)), key=len, default="")
        return self.classes.get(layer, "")

    def _unlisted(self, name: str, path: str) -> bool:
        """Whether a weight that is not listed is in a layer: in one of which none is, for another optimizer has it."""
        return name.startswith((f"{path}.", f"{path}/")) and not any(_within(one, path) for one in self.weights)


def kind_of(name: str, shape: Sequence[int], layers: Layers) -> str:
    """``dense.kernel``, ``lstm.bias``, ...: what a weight is, by its layer's class, name and shape."""
    found = _named(name, layers)
    if found is None:
        said = own_tensors.told(name)
        if "." in said:
            return said
        found = _SHAPED.get(len(shape), "dense")
    return f"{found}.{_part(found, name.lower(), shape)}"


def _named(name: str, layers: Layers) -> str | None:
    """The kind that a weight's name or its layer's class tells; None for what a program names in its own way."""
    kind = layers.of(name).lower()
    if re.search(_NORM, kind):
        return "norm"  # whatever the block is called that it stands in
    words = f"{kind} {name.removeprefix(f'{layers.model}/')}".lower().replace("multihead", "attention")
    return next((kind for kind, pattern in _KINDS if re.search(pattern, words)), None)


def _within(name: str, path: str) -> bool:
    return name.startswith((f"{path}.", f"{path}/")) or f"/{path}/" in name or f".{path}." in name


def _part(kind: str, name: str, shape: Sequence[int]) -> str:
    last = re.split(r"[./]", name)[-1]
    if _BIAS.search(last) or (len(shape) < 2 and kind not in {"norm", "prelu"} and "weight" not in last):
        return "bias"
    if kind in _CELLS and ("recurrent" in last or "_hh" in last):
        return "recurrent"
    return "kernel"


def layers_of(manifest: Mapping[str, Any] | None, recorded: Iterable[str] = ()) -> Layers:
    """The layers that a manifest declares.

    Args:
        manifest: of the run.
        recorded: names of the weights that were recorded.
    """
    listed = conduct.declared_sizes(manifest or {}).keys()
    weights = frozenset(listed if any(name in listed for name in recorded) else ())
    model = (manifest or {}).get("model")
    classes, called = _classes(manifest), model.get("name") if isinstance(model, Mapping) else None
    return Layers(classes, weights, called if isinstance(called, str) and called not in classes else "")


def _classes(manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """Layers by name or path, with their classes."""
    model = (manifest or {}).get("model")
    told = model.get("layers") if isinstance(model, Mapping) else None
    found = {}
    for layer in told if isinstance(told, list) else []:
        if isinstance(layer, Mapping) and layer.get("class"):
            kind = str(layer["class"])
            groups = layer.get("groups")
            if (
                kind.startswith("Conv")
                and isinstance(groups, int)
                and groups > 1
                and groups == layer.get("in_channels")
            ):
                kind = f"Depthwise{kind}"
            for key in ("path", "name"):
                if layer.get(key):
                    found[str(layer[key])] = kind
    return found


def facts(evidence: Evidence, manifest: Mapping[str, Any] | None) -> list[Fact]:
    """``init.<kind>`` by kind of weight, ``init.clones``, and each weight by itself as ``init.weights``.

    Of each is told whether no layer that everybody knows owns it (``guessed``: a ``gru`` that a program writes itself
    has its tensors its own way), and whether another optimizer holds it (``beside``).
    """
    begun = evidence.beginning
    weights = {name: array for name, array in begun.items() if array.values is not None}
    if not weights:
        return []
    layers = layers_of(manifest, begun)
    each: list[dict[str, Any]] = []
    for name, array in _summed(weights, layers).items():
        described = _describe(name, array, weights, evidence.layout)
        kind = kind_of(name, array.shape, layers)
        if kind == "lstm.bias" and not array.sampled and array.size % _GATES == 0:
            described["gates"] = _gates(array)
        named = _named(name, layers)
        guessed = named is None or (named in _CELLS and not own_tensors.usual(name))
        told = {"guessed": guessed, "beside": name in evidence.others}
        each.append({**described, "kind": kind, **told})
    found = [Fact(f"init.{kind}", told, residual=None) for kind, told in by_kind(each).items()]
    learnt = evidence.first.of("gradient") if evidence.first is not None else {}
    return [*found, Fact(CLONES, _clones(weights, learnt)), Fact(WEIGHTS, each)]


def by_kind(
    each: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """What each kind of weight was drawn from.

    Args:
        each: the weights of one side, as ``init.weights`` has them.
        others: those of the other side. A weight in a layer of the program's own is of the kind that the only ones
            of its shape there are of, if these are in layers that everybody knows. One of which nobody knows what it
            is (``own_tensors``) is of none.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for before, one in zip((None, *each), each, strict=False):
        there = others or () if one["guessed"] else ()
        alike = [other for other in there if sorted(other["shape"]) == sorted(one["shape"])]
        alike = alike or [other for other in there if _extents(other) == _extents(one)]  # a table of one column
        alike = alike or [other for other in there if _windowed(one, other)]
        kinds = {str(other["kind"]) for other in alike if not other["guessed"]}
        sure = len(kinds) == 1 and not any(other["guessed"] for other in alike)
        begun = any(own_tensors.same_constant(one, other) for other in alike)
        if sure and (begun or own_tensors.takes(one, next(iter(kinds)))):
            groups.setdefault(kinds.pop(), []).append(one)
        elif others is None or own_tensors.known(one, others):
            groups.setdefault(own_tensors.kind(one, before), []).append(one)
    return {kind: _told(of_kind) for kind, of_kind in groups.items()}


def _extents(one: Mapping[str, Any]) -> list[int]:
    """Of a weight, but for axes of one, in whatever order a framework has them."""
    return sorted(extent for extent in one["shape"] if extent > 1)


def _windowed(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the first is a convolution's kernel as a matrix: what a window holds in a row, times the channels."""
    extents, whole = list(one["shape"]), list(other["shape"])
    matrix = len(extents) == len(("window", "channels")) < len(whole)
    return matrix and math.prod(extents) == math.prod(whole) and any(extent in whole for extent in extents)


def _summed(weights: Mapping[str, Recorded], layers: Layers) -> dict[str, Recorded]:
    """Two biases of an LSTM, as PyTorch has them, as the one that its gates are given: their sum."""
    found = dict(weights)
    for name, array in weights.items():
        other = name.replace("bias_ih", "bias_hh")
        twin = weights.get(other) if other != name else None
        if twin is None or kind_of(name, array.shape, layers) not in _ONE_BIAS:
            continue
        if array.shape == twin.shape and array.elements == twin.elements:
            del found[other]
            found[name] = replace(array, values=np.asarray(array.values) + np.asarray(twin.values))
    for name, other in _written_out(weights, layers):
        del found[other]
        values = [np.asarray(weights[one].values) for one in (name, other)]
        found[name] = replace(weights[name], values=values[0] + values[1])
    return found


def _written_out(weights: Mapping[str, Recorded], layers: Layers) -> Iterator[tuple[str, str]]:
    """The two biases of an LSTM that a program writes itself: vectors of four gates beside a kernel of its state."""
    own: dict[str, list[str]] = {}
    for name, array in weights.items():
        torch_own = "bias_ih" in name or "bias_hh" in name
        if not torch_own and (_named(name, layers) is None or kind_of(name, array.shape, layers).startswith("lstm.")):
            own.setdefault(_layer_of(name), []).append(name)
    for names in own.values():
        vectors = [name for name in names if len(weights[name].shape) == 1]
        width = weights[vectors[0]].shape[0] if vectors else 0
        same = all(weights[name].shape == (width,) and not weights[name].sampled for name in vectors)
        states = [name for name in names if sorted(weights[name].shape) == [width // _GATES, width]]
        if len(vectors) == len(("input", "state")) and same and states and width % _GATES == 0:
            yield vectors[0], vectors[1]


def _describe(name: str, array: Recorded, weights: Mapping[str, Recorded], layout: str) -> dict[str, Any]:
    values = np.asarray(array.values, np.float64).reshape(-1)
    fans = fans_of(array.shape, layout)
    if fans is None:
        others = (w for other, w in weights.items() if other != name and _layer_of(other) == _layer_of(name))
        fans = next((f for w in others if (f := fans_of(w.shape, layout)) is not None), None)
    told = describe(values, None if array.sampled else array.shape, fans)
    return told | {"name": name, "elements": len(values), "size": array.size, "shape": list(array.shape)}


def _gates(array: Recorded) -> list[list[float]]:
    """Mean and standard deviation of the biases of each gate: input, forget, cell, output, in every framework."""
    rows = np.asarray(array.values, np.float64).reshape(_GATES, -1)
    return [[float(row.mean()), float(row.std())] for row in rows]


def _layer_of(name: str) -> str:
    """What two weights of one layer have in common: all but the last part, or the place in scikit-learn's lists."""
    place = re.search(r"\[\d+\]$", name)
    return place.group() if place else re.split(r"[./][^./]*$", name)[0]


def _told(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One kind of weight: the formulas that fit every tensor of it, its spread against fan-in, its mean."""
    # Of several as large the widest: a program that holds its tensors in a list has them in an order of its own.
    largest = max(each, key=lambda one: (one["elements"], one.get("std", 0.0), abs(one.get("mean") or 0.0)))
    common = [f for f in largest.get("formulas", ()) if all(_agrees(f, one) for one in each)]
    off = [one for one in each if one.get("off_centre")]
    return {
        "distribution": largest["distribution"],
        "families": list(largest.get("families", ())),
        "formulas": common or list(largest.get("formulas", ()))[:1],
        "mean": largest.get("mean"),
        "std": largest.get("std"),
        "bound": largest.get("scale") if largest["distribution"] == "uniform" else None,
        "fan_in": largest.get("fan_in"),
        "fan_out": largest.get("fan_out"),
        "elements": largest["elements"],
        "size": largest.get("size"),
        "off_centre": bool(off),
        "tensor": largest["name"],
        "gates": largest.get("gates"),
        "own": all(one["guessed"] for one in each),
        "constants": sorted([one["size"], _constant(one), one.get("fan_in") or 1] for one in each)
        if all(_constant(one) is not None for one in each)
        else None,
    }


def _constant(one: Mapping[str, Any]) -> float | None:
    """The number that all of a weight is; None if it is drawn."""
    same = one["distribution"] in {"zeros", "ones", "constant"} or one["elements"] == 1
    return float(one["mean"]) if same and one.get("mean") is not None else None


def _agrees(formula: str, one: Mapping[str, Any]) -> bool:
    return not one.get("formulas") or formula in one["formulas"] or one["elements"] < 16


def _clones(weights: Mapping[str, Recorded], learnt: Collection[str]) -> list[list[str]]:
    """Tensors that begin as copies of one another, constants and steps of constants apart (INIT-16).

    Not what is a copy of a weight with a gradient and has none: a target network, an average of weights.
    """
    seen: dict[bytes, list[str]] = {}
    for name, array in weights.items():
        values = np.asarray(array.values)
        if values.size > 3 and len(np.unique(values)) > values.size / 2:  # drawn numbers hardly repeat
            seen.setdefault(repr(array.shape).encode() + values.tobytes(), []).append(name)
    both = ([name for name in names if name in learnt] or names for names in seen.values())
    return [names for names in both if len(names) > 1]
