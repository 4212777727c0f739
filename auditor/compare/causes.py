"""All causes of a difference between two runs, ranked by what they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from auditor.compare import aligned, catalogue, consequences, likened, mending, titles
from auditor.compare.identify.fact import STAGES
from auditor.compare.natural import natural
from auditor.compare.profile import Profile
from auditor.compare.recognise import (
    conduct,
    data,
    forward,
    init,
    loss,
    loss_parts,
    mode,
    optimizer,
    precision,
    regularization,
    reporting,
    schedule,
    untracked,
)
from auditor.compare.recognise.cause import LISTED, MATTERS, Cause, Recogniser
from auditor.compare.recognise.init import CENTRED

_RECOGNISERS: Final[tuple[Recogniser, ...]] = (
    *(
        init.causes,
        data.causes,
        forward.causes,
        loss.causes,
        loss_parts.causes,
        regularization.causes,
        conduct.causes,
        optimizer.causes,
    ),
    *(schedule.causes, mode.causes, precision.causes, reporting.causes),
)
#: How the JSON contract names stages of the catalogue that it does not have.
_TOLD: Final = {"schedule": "optimizer"}
#: Stages in which a difference is somebody's choice: no draw of a seed.
_SETTINGS: Final = frozenset({"optimizer", "schedule", "precision", "regularization"})
#: What differs where several batches make one step and nothing else does.
_ACCUMULATED: Final = frozenset({
    *(("DATA-02", "data.batch_size"), ("DATA-02", "data.partial_batches")),
    *((entry, "loss.scale") for entry in ("LOSS-00", "LOSS-01", "LOSS-11")), ("LOSS-11", "loss.function"),
})  # fmt: skip
#: An epsilon makes steps shorter and turns none: below this part of a step no end metric shows it, as none shows
#: ten percent of the learning rate with ten seeds a side (measured, docs/mismatches.md).
_SHORTENED: Final = 0.1
_EPSILONS: Final = ("epsilon", "epsilon_placement")
#: Draws of one spread whose tails alone differ: a normal, and one cut at two standard deviations. Honest ports
#: have it (``xavier_normal_`` for ``glorot_normal``), and another seed moves the weights by far more.
_ALIKE: Final = frozenset({"INIT-13"})
#: What is fed in another order where no batch is of another kind for it: the noise of the steps is another, as another
#: seed's is, and what they aim at is the same. It is told, in its place, and claims nothing.
_NOISE: Final = frozenset({("DATA-01", "data.order")})
#: How a framework works, whatever is set: running variances, biased in Keras; squares of sparse gradients there.
_WORKS: Final = frozenset({"FWD-03", "OPT-29"})
#: What the size of a difference counts for that every pair of these frameworks has.
_USUAL: Final = 0.2


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``causes``: what is told, the most likely first; ``harmless``: what differs and changes next to nothing."""

    causes: tuple[Cause, ...]
    harmless: tuple[Cause, ...]
    roots: tuple[Cause, ...] = ()
    """The causes that matter, the earliest first: measured, and more than what frameworks do by default."""
    follows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """By a root's id and parameter, the later stages in which the two differ because of it."""
    claims: tuple[Cause, ...] = ()
    """The causes that make the two a mismatch: measured, beyond what chance and the frameworks' defaults explain."""
    likeliest: Cause | None = None
    """The first cause that is more than what the two frameworks do by themselves, whatever its size; else the first."""

    @property
    def earliest(self) -> Cause | None:
        """Where the two part: the first root in a step's order; where none is large, the likeliest cause."""
        return next(iter(self.roots), self.likeliest)

    @property
    def matters(self) -> bool:
        """Whether the two were measured to compute different things."""
        return bool(self.claims)


def diagnose(a: Profile, b: Profile) -> Diagnosis:
    """What makes the two runs differ."""
    a, b = likened.sides(a, b)
    sides = (a.framework, b.framework)
    step = aligned.first_step(a, b)
    hidden = untracked.by_record(a, b) or (step.untracked if step is not None else None)
    weighed = aligned.weigh(untracked.weigh(_but_for_order(list(_all(a, b))), hidden), step)
    usual = {id(cause): natural(cause, sides) for cause in weighed}
    found = sorted(weighed, key=lambda cause: _rank(cause, usual[id(cause)]))
    causes = [cause for cause in found if cause.weight >= LISTED]
    if not any(not usual[id(cause)] or cause.weight >= MATTERS for cause in causes):
        # Nothing else tells the two apart: then what somebody set is the answer, however little it does.
        causes = [one for one in found if _set(one) and one not in causes and not usual[id(one)]] + causes
    claims = tuple(one for one in causes if _claims(one, usual=usual[id(one)]))
    if claims:
        causes = [one for one in causes if not _beside(one, usual=usual[id(one)])]
    roots = tuple(sorted((one for one in causes if _counts(one, usual=usual[id(one)])), key=_place))
    harmless = tuple(cause for cause in found if cause not in causes)
    likely = sorted((one for one in causes if one.id not in _ALIKE), key=lambda one: usual[id(one)])
    likeliest = next(iter(likely), None)
    return Diagnosis(tuple(causes), harmless, roots, consequences.of(a, b, roots), claims, likeliest)


def _counts(cause: Cause, *, usual: bool) -> bool:
    """Whether a cause is large enough to be where two runs part."""
    return _claims(cause, usual=usual) and -_rank(cause, usual)[0] >= MATTERS


def _claims(cause: Cause, *, usual: bool) -> bool:
    """Whether a difference makes two runs a mismatch.

    What somebody set does as soon as it was measured to change more than rounding does (``LISTED``), and so
    do weights drawn otherwise, whoever chose the law; what else both frameworks do by default, from
    ``MATTERS`` on, as do biases that begin near zero; an epsilon from ``_SHORTENED`` on. What another seed
    may show never does, nor the shape of a draw of the same spread, nor the order alone of batches that are alike.
    """
    if cause.how != "measured" or cause.chance or cause.id in _ALIKE or (cause.id, cause.parameter) in _NOISE:
        return False
    if _is_epsilon(cause):
        return cause.weight >= _SHORTENED
    if cause.parameter.startswith("init."):
        usual = cause.parameter in CENTRED
    return cause.weight >= (MATTERS if usual else LISTED)


def _beside(cause: Cause, *, usual: bool) -> bool:
    """Whether a difference is nothing beside one that makes a mismatch: an epsilon, or how a framework works.

    Every pair of two frameworks has them. Where nothing else differs they are what there is to tell.
    """
    by_nature = usual and cause.id in _WORKS and (cause.chance or cause.weight < MATTERS)
    return by_nature or (_is_epsilon(cause) and not _claims(cause, usual=usual))


def _is_epsilon(cause: Cause) -> bool:
    return catalogue.entry(cause.id).stage == "optimizer" and cause.parameter.endswith(_EPSILONS)


def _place(cause: Cause) -> tuple[int, int]:
    """When a cause acts first: its step, and the stage within it."""
    return cause.step, STAGES.index(_acts(cause))


def _set(cause: Cause) -> bool:
    """Whether a difference is one of measured settings, not of chance."""
    return cause.how == "measured" and cause.weight > 0 and catalogue.entry(cause.id).stage in _SETTINGS


def _all(a: Profile, b: Profile) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = {*_ACCUMULATED} if conduct.as_one_batch(a, b) else set()
    seen |= {one for one in _ACCUMULATED if one[0].startswith("LOSS")} if conduct.balanced(a, b) else set()
    for recognise in _RECOGNISERS:
        for cause in recognise(a, b):
            if (cause.id, cause.parameter) not in seen:
                seen.add((cause.id, cause.parameter))
                yield cause


def _but_for_order(found: list[Cause]) -> list[Cause]:
    """Without what weights that are equal but for the order of their gates were drawn from: it is the same."""
    moved = tuple(f"init.{kind}." for kind in ("gru", "lstm") if any(one.parameter == f"{kind}.gates" for one in found))
    return [one for one in found if not one.parameter.startswith(moved)] if moved else found


def _rank(cause: Cause, usual: bool) -> tuple[float, int]:
    """By what is measured before what is declared, by size, what somebody set first; among equals by stage."""
    sure = cause.weight * (1.0 if cause.how == "measured" else 0.5) * (_USUAL if usual else 1.0)
    entry = catalogue.entry(cause.id)
    if cause.chance or entry.stage == "reporting" or (_is_epsilon(cause) and cause.weight < _SHORTENED):
        sure *= _USUAL  # it claims nothing: behind all that does
    return -sure, entry.order


def stage(cause: Cause) -> str:
    """The stage of a step in which a cause acts, by the contract's names."""
    found = _acts(cause)
    return _TOLD.get(found, found)


def _acts(cause: Cause) -> str:
    """The catalogue's stage; of a loss whose own value differs the loss, however autodiff takes it from there.

    And of other data in evaluation alone the evaluation: the steps know nothing of it.
    """
    if cause.parameter.startswith("data.evaluation."):
        return "eval"
    found = catalogue.entry(cause.id).stage
    return "loss" if found == "backward" and cause.parameter.startswith("loss.") else found


def as_json(cause: Cause, frameworks: tuple[str, str], follows: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A cause in the shape of DESIGN section 3, with the fix for the side that it mends.

    ``consequences``: the later stages in which the two differ because of it.
    """
    entry = catalogue.entry(cause.id)
    return {
        "id": cause.id,
        "title": titles.title(cause),
        "stage": stage(cause),
        "step": cause.step,
        "parameter": cause.parameter,
        "a": cause.values[0],
        "b": cause.values[1],
        "how": cause.how,
        "confidence": cause.confidence,
        "weight": cause.weight,
        "consequences": [{**one, "says": consequences.words(one)} for one in follows],
        "effect": cause.effect,
        "fix": mending.line(cause, frameworks),
        "fix_in": "ab"[mending.at_fault(cause)],
        "versions": {name: entry.versions[name] for name in frameworks if name in entry.versions},
        "page": entry.page,
    }
