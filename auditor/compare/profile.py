"""Everything known of one run: what was measured first, what is declared beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from auditor.compare import declared
from auditor.compare.identify import (
    Fact,
    Facts,
    activations,
    averaged,
    backward,
    bounds,
    conduct,
    decayed,
    fed,
    fed_size,
    heads,
    initial,
    leading,
    left_over,
    loss,
    loss_parts,
    loss_read,
    loss_terms,
    order,
    passes,
    penalty,
    precision,
    shares,
    update,
)
from auditor.compare.identify.evidence import Evidence, evidence, whole_steps
from auditor.compare.identify.loss import LossFit
from auditor.compare.identify.update import UpdateRule
from auditor.compare.structure import Structure, of_loss, structure
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording


@dataclass(frozen=True, slots=True)
class Profile:
    """One run as causes see it.

    ``update`` and ``loss`` are the fits behind the facts: with them an effect is replayed instead of
    guessed. ``curves`` and ``last_step`` say how long the run was.
    """

    run: str
    framework: str
    facts: Facts
    evidence: Evidence
    update: UpdateRule | None = None
    loss: Sequence[LossFit] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    events: Sequence[Any] = ()
    manifest: Mapping[str, Any] | None = None
    last_step: int | None = None
    structure: Structure = field(default_factory=Structure)
    evaluation: StepRecording | None = None
    """The first batch of its first recorded evaluation."""
    judged: StepRecording | None = None
    """The first of them whose targets were recorded."""
    scales: bool = False
    """Whether its first layers scale what it is given; batches are kept as they leave these."""
    by_hand: bool = False
    """Whether the program moves its weights itself, without an optimizer."""

    @property
    def rule_hidden(self) -> bool:
        """Whether nobody can say how the weights are moved: by hand, and the numbers do not tell the rule."""
        return self.by_hand and (self.update is None or not self.update.fit.explains)

    def value(self, parameter: str, default: Any = None) -> Any:
        """A fact's value, or ``default``."""
        return self.facts.value(parameter, default)

    @property
    def layers(self) -> list[Mapping[str, Any]]:
        """The model's layers as the manifest lists them; none where it lists none."""
        return _layers(self.manifest)


def _layers(manifest: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    model = (manifest or {}).get("model")
    told = model.get("layers") if isinstance(model, Mapping) else None
    return [one for one in told or [] if isinstance(one, Mapping)]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run says beside its recorded steps: manifest, scalars, events, norms of whole gradients, evaluations."""

    manifest: Mapping[str, Any] | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)
    events: Sequence[Any] = ()
    last_step: int | None = None
    norms: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    evaluations: Sequence[StepRecording] = ()
    before: Sequence[StepRecording] = ()


def profile(run: str, framework: str, recordings: Sequence[StepRecording], beside: Beside | None = None) -> Profile:
    """Identifies one run.

    Args:
        run: its id.
        framework: ``torch``, ``keras``, ``tensorflow`` or ``sklearn``.
        recordings: of the flight recorder; may be empty.
        beside: what else it says.
    """
    told = beside or Beside()
    manifest, curves, events = told.manifest, told.curves, told.events
    steps = [one for one in recordings if one.facts.get("phase") != "eval"]
    training, recordings, evaluations = (leading.first(some, steps) for some in (steps, recordings, told.evaluations))
    through = fed.ways(framework, _layers(manifest), training)
    kept = decayed.undone(evidence(framework, shares.told(fed.fed(recordings, through)), told.norms))
    by_hand = declared.by_hand(framework, manifest)
    kept, rule = _moved(kept, [*told.before, *recordings], told, by_hand=by_hand)
    kept, fits = loss_read.told(passes.without_parts(kept))
    weights = kept.first.of("weight") if kept.first else {}
    layers = initial.layers_of(manifest, weights)
    kinds = {name: initial.kind_of(name, array.shape, layers) for name, array in weights.items()}
    found: list[Fact] = []
    found += initial.facts(kept, manifest)
    found += activations.facts(kept)
    found += order.facts(kept, *passes.of_data(kept, curves, events))
    found += fed_size.facts(kept)
    unknown = fed.untold(_layers(manifest), training, through) or any(one.facts.get("fed") is False for one in training)
    found += [Fact(fed_size.CHANGED, value=True)] if unknown else []
    found += loss.facts(kept, fits)
    found += heads.facts(kept)
    found += loss_terms.facts(kept)
    found += loss_parts.facts(kept)
    found += penalty.facts(kept, fits, kinds)
    found += backward.facts(kept, fits)
    found += conduct.facts(kept, curves, manifest, events)
    found += [] if rule is None else update.facts(rule)
    found += bounds.facts(kept, () if rule is None else rule.aside.tensors)
    found += precision.facts(kept)
    found += _modes(events)
    facts = Facts()
    for fact in (*found, *declared.facts(manifest)):
        facts.add(fact)
    policy = facts.value("precision.policy")
    given = next((array.dtype for one in training for array in one.of("batch").values()), None)
    for fact in precision.of_inputs(through, policy, given if framework == "torch" else policy):
        facts.add(fact)
    network = structure(framework, manifest, [one.facts for one in kept.steps], facts.value("data.features"))
    network = of_loss.without(network, kept.steps)
    network = replace(network, whole=network.whole or _shown_whole(manifest, network, fits))
    curves = _with_rates(curves, kept, rule)
    if by_hand:
        facts, curves = averaged.told(facts, curves)
    looked = sorted(fed.fed(evaluations, through), key=lambda one: (-one.attempt, one.rank, one.step))
    return Profile(
        run,
        framework,
        facts,
        kept,
        rule,
        fits,
        curves,
        events,
        manifest,
        told.last_step,
        network,
        next(iter(looked), None),
        next((one for one in looked if one.of("target")), None),
        bool(through),
        by_hand,
    )


def _moved(
    kept: Evidence, whole: Sequence[StepRecording], told: Beside, *, by_hand: bool
) -> tuple[Evidence, UpdateRule | None]:
    """The update rule, and the steps that it is of: where a program moves its weights itself, until the next begins.

    Where that explains nothing and what was recorded of each step does, something else moves them in between.
    """
    longer = whole_steps(kept) if by_hand else kept
    rule = _rule(longer, whole, told)
    if longer is kept or rule is None or rule.fit.explains:
        return longer, rule
    recorded = _rule(kept, whole, told)
    return (kept, recorded) if recorded is not None and recorded.fit.explains else (longer, rule)


def _with_rates(curves: Mapping[str, Curve], kept: Evidence, rule: UpdateRule | None) -> Mapping[str, Curve]:
    """The curves with the learning rates of the first steps, where nobody recorded them and they were found.

    In place of what an agent took for one of a program's own update: a multiple of the gradient, of plain SGD alone.
    """
    if rule is None or not rule.free:
        return curves
    rates = rule.sample.rates
    steps = np.array([one.step for one in kept.steps[: len(rates)]], np.int64)
    return {**curves, "lr": Curve(steps, rates)}


def _rule(kept: Evidence, whole: Sequence[StepRecording], told: Beside) -> UpdateRule | None:
    """The update rule; of weights that were replaced, with what the optimizer remembers of those before."""
    said = declared.rule(told.manifest)
    if not told.before:
        return update.identify(kept, said, declared.constrained(told.manifest))
    return left_over.remembering(kept, evidence(kept.framework, whole, told.norms), said)


def _shown_whole(manifest: Mapping[str, Any] | None, network: Structure, fits: Sequence[LossFit]) -> bool:
    """Whether a stack of layers that ran eagerly hides nothing: the loss follows from its output as it is.

    What a program calls as a function is not seen there, but a ``Sequential`` calls its layers alone, and a
    function between its output and the loss would leave the loss unexplained.
    """
    model = (manifest or {}).get("model")
    stack = isinstance(model, Mapping) and str(model.get("class")) == "Sequential"
    return stack and network.ordered and network.ran and bool(fits) and fits[0].explains


def _modes(events: Sequence[Any]) -> list[Fact]:
    """``mode.train``, ``mode.eval``: whether the model was in training mode in each phase, as first seen.

    ``mode.train.later``: the first other mode in which it was trained.
    """
    found: dict[str, Fact] = {}
    for event in events:
        if event.type == "mode":
            fields = dict(event.fields)
            name = f"mode.{fields.get('phase')}"
            kinds = fields.get("kinds") or fields.get("modules") or []
            value = {"training": str(fields.get("training")).lower(), "kinds": list(kinds)}
            if name == "mode.train" and name in found and value["training"] != found[name].value["training"]:
                name = "mode.train.later"
            found.setdefault(name, Fact(name, value, step=int(event.step)))
    return list(found.values())
