"""From the part that differs to the entry of the catalogue.

The lockstep has said where: stage, part, layer. What could act there is a short list; settings that
differ and the numbers themselves choose from it. Entries ``...-00`` stand where nothing known fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from auditor.compare import catalogue
from auditor.compare.identify.fact import How
from auditor.compare.recognise.cause import Cause, close
from auditor.parity import declared, measured
from auditor_agent.parity import Divergence, Outcome

Named = tuple[str, str, tuple[Any, Any]]
"""Entry, canonical parameter, the two sides' values."""

#: Entry by the sort of layer whose output differs although its input and weights do not.
_LAYERS: Final[Mapping[str, str]] = {
    "layernorm": "FWD-06", "groupnorm": "FWD-06", "rmsnorm": "FWD-06", "softmax": "FWD-22", "upsample": "FWD-19",
    "conv_transpose": "FWD-18", "lstm": "FWD-14", "gru": "FWD-15", "attention": "FWD-20", "embedding": "FWD-21",
    "dropout": "FWD-07",
}  # fmt: skip
#: A difference of two updates that is so parallel to the weight is decay.
_PARALLEL: Final = 0.99


def cause(outcome: Outcome) -> Cause | None:
    """The entry of the catalogue for the first part that differs; None if nothing does."""
    first = outcome.first
    if first is None:
        return None
    if first.stage == "loss" and (found := max(measured.losses(outcome), key=lambda c: c.weight, default=None)):
        return found
    entry, parameter, values = _BY_STAGE[first.stage](outcome, first)
    effect = f"{first.part} of {first.name[1]} is off by {first.distance:.2g}, rounding explains {first.tolerance:.2g}"
    how: How = "declared" if first.part == "dropout" else "measured"
    return Cause(entry, parameter, values, min(first.distance, 10.0), effect, how, 0.9, first.step)


def conventions(outcome: Outcome) -> list[Cause]:
    """Differences that are known and too small to be told as causes."""
    return [Cause("FWD-03", f"{one.name[0]}", (None, None), one.distance, one.note, step=one.step)
            for one in outcome.conventions if one is not outcome.first]  # fmt: skip


def _data(_outcome: Outcome, first: Divergence) -> Named:
    # Other rows of the same kind lie as far apart as independent draws do; a changed value lies close.
    other = np.isfinite(first.distance) and first.distance > 0.5
    shapes = first.values or (None, None)
    if shapes[0] != shapes[1]:
        return "DATA-02", "data.shape", shapes
    return ("DATA-01" if other else "DATA-00"), f"data.{first.part}", (None, None)


def _forward(outcome: Outcome, first: Divergence) -> Named:
    a, b = first.settings
    if first.kind == "dropout":
        return "FWD-07", "dropout.rate", first.values or (None, None)
    if first.kind == "batchnorm":
        return _batchnorm(outcome, a, b)
    if first.kind == "activation":
        return _activation(a, b)
    if first.part.startswith("missing"):
        return ("FWD-15" if first.kind == "gru" else "FWD-00"), first.part, first.values or (None, None)
    return _shaped(first, a, b) or (_LAYERS.get(first.kind, "FWD-00"), first.kind or first.part, (_told(a), _told(b)))


def _shaped(first: Divergence, a: Mapping[str, Any], b: Mapping[str, Any]) -> Named | None:
    """Convolutions and pools, whose borders differ."""
    if first.kind in {"conv", "depthwise"}:
        strides = a.get("stride", a.get("strides")), b.get("stride", b.get("strides"))
        same = "same" in {a.get("padding"), b.get("padding")} and _plain(strides[0]) == _plain(strides[1])
        return ("FWD-11" if same else "FWD-00"), "conv", (_told(a), _told(b))
    if first.kind == "pool":
        both = all("av" in str(side.get("class")).lower() for side in (a, b))
        return ("FWD-12" if both else "FWD-00"), "pool", (a.get("class"), b.get("class"))
    return None


def _plain(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _told(settings: Mapping[str, Any]) -> str | None:
    kept = {k: v for k, v in settings.items() if k in {"padding", "stride", "strides", "eps", "epsilon", "axis", "dim",
            "num_heads", "activation", "negative_slope", "class", "reset_after"}}  # fmt: skip
    return ", ".join(f"{name}={value}" for name, value in kept.items()) or None


def _batchnorm(outcome: Outcome, a: Mapping[str, Any], b: Mapping[str, Any]) -> Named:
    modes = outcome.a.told().training, outcome.b.told().training
    if modes[0] != modes[1]:
        return "MODE-01", "mode.train", (modes[0], modes[1])
    values = a.get("eps", a.get("epsilon")), b.get("eps", b.get("epsilon"))
    if values[0] is not None and not close(*values):
        return "FWD-01", "batchnorm.epsilon", values
    return "FWD-04", "batchnorm.axis", (a.get("axis"), b.get("axis"))


def _activation(a: Mapping[str, Any], b: Mapping[str, Any]) -> Named:
    names = [str(side.get("activation") if side.get("class") == "Activation" else side.get("class")).lower()
             for side in (a, b)]  # fmt: skip
    if any("gelu" in name for name in names) and all("gelu" in name or name == "<lambda>" for name in names):
        return "FWD-08", "gelu.approximate", (a.get("approximate"), b.get("approximate"))
    slopes = [side.get("negative_slope", side.get("alpha")) for side in (a, b)]
    if all(slope is not None for slope in slopes) and all("leaky" in name for name in names):
        return "FWD-09", "leakyrelu.negative_slope", (slopes[0], slopes[1])
    return "FWD-10", "forward.activation", (names[0], names[1])


def _loss(_outcome: Outcome, first: Divergence) -> Named:
    entry = "LOSS-00" if first.part == "value" else "LOSS-03"
    return entry, f"loss.{first.part}", first.values or (None, None)


def _regularization(outcome: Outcome, _first: Divergence) -> Named:
    sides = [declared.settings(side) for side in (outcome.a, outcome.b)]
    coupled = [side.get("weight_decay") or 0.0 if side.get("decay_coupling") == "coupled" else 0.0 for side in sides]
    if any(coupled):
        rule = str(sides[0].get("rule"))
        return ("OPT-06" if rule == "sgd" else "OPT-05"), "update.decay_coupling", (
            sides[0].get("decay_coupling"), sides[1].get("decay_coupling"))  # fmt: skip
    if "sklearn" in {outcome.a.framework, outcome.b.framework}:
        return "OPT-08", "penalty.l2", (outcome.a.told().alpha, outcome.b.told().alpha)
    penalties = tuple(seen.penalty for seen in outcome.seen) if outcome.seen else (0.0, 0.0)
    return ("OPT-07" if all(penalties) else "LOSS-16"), "penalty.l2", (penalties[0], penalties[1])


def _optimizer(outcome: Outcome, first: Divergence) -> Named:
    sides = [declared.settings(side) for side in (outcome.a, outcome.b)]
    if first.part == "learning_rate":
        return ("OPT-01" if first.step == 1 else "SCH-01"), "update.learning_rate", first.values or (None, None)
    if sides[0].get("rule") != sides[1].get("rule"):
        return "OPT-00", "update.rule", (sides[0].get("rule"), sides[1].get("rule"))
    every = [_accumulates(outcome, side, told) for side, told in zip("ab", sides, strict=True)]
    if every[0] != every[1]:
        return "OPT-21", "update.gradient_accumulation_steps", (every[0], every[1])
    if first.part == "update":
        return _update(outcome, first, sides)
    return _state(outcome, first, sides, every[0])


def _accumulates(outcome: Outcome, side: str, told: Mapping[str, Any]) -> int:
    return max(int(getattr(outcome, side).told().accumulate), int(told.get("gradient_accumulation_steps") or 1))


def _state(outcome: Outcome, first: Divergence, sides: list[Mapping[str, Any]], every: int) -> Named:
    rule = str(sides[0].get("rule"))
    moment = {"first_moment": "beta_1", "second_moment": "decay" if rule == "rmsprop" else "beta_2"}.get(first.part, "")
    for name, entry in (
        *(("amsgrad", "OPT-22"), ("centered", "OPT-02"), ("momentum", "OPT-14" if rule == "rmsprop" else "OPT-02")),
        *(("dampening", "OPT-12"), (moment, "OPT-13" if rule == "rmsprop" else "OPT-02")),
        ("initial_accumulator", "OPT-15"),
    ):
        values = sides[0].get(name), sides[1].get(name)
        if (values[0] or 0) != (values[1] or 0) and not close(values[0] or 0, values[1] or 0, 1e-6):
            return entry, f"{rule}.{name}", values
    if first.kind == "embedding" and first.part == "second_moment":
        return "OPT-29", "update.sparse", (None, None)
    if every > 1 and first.part == "first_moment":
        return "OPT-21", "update.gradient_accumulation", (outcome.a.told().average, outcome.b.told().average)
    if first.part == "momentum" and first.step > 1:
        return "OPT-10", "update.momentum_buffer", (sides[0].get("momentum_buffer"), sides[1].get("momentum_buffer"))
    clips = [_clips(outcome, side, told) for side, told in zip("ab", sides, strict=True)]
    if clips[0] or clips[1]:
        return ("OPT-20" if "clip_value" in "".join(clips) else "OPT-19"), "update.clipping", (clips[0], clips[1])
    return "OPT-00", f"update.{first.part}", (None, None)


def _clips(outcome: Outcome, side: str, told: Mapping[str, Any]) -> str:
    names = [name for name in ("clip_norm", "clip_norm_per_variable", "clip_value") if told.get(name)]
    hand = ["before_step"] if getattr(outcome, side).told().by_hand else []
    return ", ".join([f"{name} {told[name]:g}" for name in names] + hand)


def _update(outcome: Outcome, first: Divergence, sides: list[Mapping[str, Any]]) -> Named:
    rule = str(sides[0].get("rule"))
    moved = measured.movements(outcome)
    decays = sides[0].get("weight_decay") or 0.0, sides[1].get("weight_decay") or 0.0
    if moved is not None and measured.alike(moved[2] - moved[1], moved[0]) > _PARALLEL and decays[0] != decays[1]:
        return ("OPT-06" if rule == "sgd" else "OPT-04"), "update.weight_decay", decays
    if first.kind == "lstm" and first.name[0].endswith("bias"):
        return "INIT-08", "lstm.bias", (None, None)
    if bool(sides[0].get("nesterov")) != bool(sides[1].get("nesterov")):
        return "OPT-11", f"{rule}.nesterov", (sides[0].get("nesterov"), sides[1].get("nesterov"))
    return _settings(rule, sides) or ("OPT-00", "update", (None, None))


def _settings(rule: str, sides: list[Mapping[str, Any]]) -> Named | None:
    """Settings that act in the update alone."""
    accumulators = sides[0].get("initial_accumulator"), sides[1].get("initial_accumulator")
    if accumulators[0] != accumulators[1] and not close(accumulators[0] or 0, accumulators[1] or 0):
        return "OPT-15", f"{rule}.initial_accumulator", accumulators
    epsilon = sides[0].get("epsilon"), sides[1].get("epsilon")
    places = sides[0].get("epsilon_placement"), sides[1].get("epsilon_placement")
    if epsilon[0] is not None and not close(*epsilon):
        return _epsilon(rule, "OPT-02"), f"{rule}.epsilon", epsilon
    if places[0] != places[1]:
        return _epsilon(rule, "OPT-03"), f"{rule}.epsilon_placement", places
    return None


def _epsilon(rule: str, adam: str) -> str:
    return {"rmsprop": "OPT-13", "adagrad": "OPT-15", "adadelta": "OPT-16", "adamax": "OPT-17"}.get(rule, adam)


def _eval(_outcome: Outcome, first: Divergence) -> Named:
    if first.part != "statistic":
        return "MODE-03", "mode.eval", (None, None)
    if first.note:
        return "FWD-03", "batchnorm.variance", (first.note, None)
    memory = first.settings[0].get("momentum"), first.settings[1].get("momentum")
    return "FWD-02", "batchnorm.momentum", memory


def _backward(_outcome: Outcome, first: Divergence) -> Named:
    return "LOSS-03", f"backward.{first.part}", first.values or (None, None)


def _precision(_outcome: Outcome, first: Divergence) -> Named:
    return "PREC-01", "precision.policy", first.values or (None, None)


_BY_STAGE: Final[Mapping[str, Callable[[Outcome, Divergence], Named]]] = {
    "data": _data, "forward": _forward, "loss": _loss, "regularization": _regularization, "backward": _backward,
    "optimizer": _optimizer, "eval": _eval, "precision": _precision,
}  # fmt: skip


def stage(found: Cause, first: Divergence) -> str:
    """Where it acts: the catalogue's stage, as the lockstep saw it."""
    return first.stage if first.stage != "eval" else catalogue.entry(found.id).stage
