"""Weights that stay bit by bit what they were, though a gradient and a learning rate would move them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.fresh import fresh
from auditor.detect.evidence.moves import adaptive
from auditor.detect.evidence.owned import frozen, held, idle, trainable, weights, within
from auditor.detect.evidence.series import Recent
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView, due, stretches
from auditor.model import Finding, Severity, Subject
from auditor_agent.statistics import MOMENTS

#: Types whose rounding may swallow an update: ``update_swallowed`` judges these.
_NARROW: Final = frozenset({"float16", "bfloat16"})

#: Steps from one look at what is frozen to the next.
_EVERY: Final = 50
#: Steps with gradients after which a trainable variable without any counts as forgotten.
_APPLIED: Final = 50
#: What an event tells of a variable's values.
_SPREAD: Final = ("mean", "std", "absmax")


@dataclass(frozen=True, slots=True)
class UnmovedParameters:
    """Thresholds, ours.

    ``apart``: steps between two looks at a weight, 45 (sampled are the first five steps and every 50th).
    ``pushed``: part of the steps between in which it had a gradient, 0.5. ``reach``: least update that
    one step promises, by the weight's size, 1e-5 (below it float32 may round it away, and
    ``learning_rate`` speaks). ``settled``: losses, 200, after which a frozen random body has cost something: the
    median of the last 64 is above ``poor``, 0.5, of the cost of guessing.
    """

    apart: int = 45
    pushed: float = 0.5
    reach: float = 1e-5
    settled: int = 200
    poor: float = 0.5


@dataclass(slots=True)
class UnmovedMemory:
    """By weight: its first print (step, then the eight moments), the last step at which it was the same or not.

    ``moved``: weights that have changed. ``gradients``: steps with a gradient other than zero, and the
    mean size of it. ``layers``: those that run in the forward pass. ``others``: weights of further optimizers.
    ``steps``: steps with gradients in all. ``discarded``: recorded steps in a row that threw gradients away.
    """

    prints: dict[str, list[float]] = field(default_factory=dict)
    still: dict[str, int] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    pushes: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    steps: int = 0
    rate: float = math.nan
    discarded: int = 0
    cost: Cost = field(default_factory=Cost)
    losses: Recent = field(default_factory=lambda: Recent(limit=64))


class Unmoved(Rule):
    """Shared: which weights have stayed."""

    Parameters = UnmovedParameters
    State = UnmovedMemory
    severity = Severity.CRITICAL
    phase = "update"

    def observe(self, view: StepView) -> list[Finding]:
        """Gradients at every step, weights where they were sampled; judged there, once per run."""
        if self.active:
            return []
        reached = 0
        for at, names, prints in self._looks(view):
            self._push(view, reached, at)
            reached = at
            if self._compare(view, at, names, prints):
                found = self.judge(view, at)
                if found:
                    return found
        self._push(view, reached, len(view))
        return []

    @abstractmethod
    def judge(self, view: StepView, at: int) -> list[Finding]:
        """What the weights that stayed say."""

    def unjudged(self) -> str | None:
        """No two looks at a weight."""
        known = self.memory.still or self.memory.moved
        return None if known else f"no weight was looked at twice, {self.parameters.apart} steps apart"

    def stuck(self, view: StepView) -> list[str]:
        """Weights that had a gradient worth a move and stayed, in the order of the table."""
        memory, parameters = self.memory, self.parameters
        dtypes = {tensor.name: tensor.dtype for tensor in view.table if tensor.kind == "weight"}
        quick = adaptive(view.run)
        names = []
        for name in memory.still:
            pushes = memory.pushes.get(name, 0)
            if not pushes or pushes < parameters.pushed * memory.steps or dtypes.get(name) in _NARROW:
                continue
            size = memory.prints[name][1 + MOMENTS.index("absmax")]
            step = 1.0 if quick else memory.sizes.get(name, 0.0) / pushes
            rate = memory.rate if math.isfinite(memory.rate) else 0.0
            if rate * step > parameters.reach * size:
                names.append(name)
        return names

    def _looks(self, view: StepView) -> Iterator[tuple[int, list[str], F64]]:
        """Each sampled step in turn: its index, the weights' names, their moments (weights x 8)."""
        for block, columns in view.blocks("weight"):
            names = [view.table[int(i)].name for i in block.tensors[columns]]
            moments = np.stack([block.stat(name)[:, columns].astype(np.float64) for name in MOMENTS], axis=-1)
            for row in range(len(moments)):
                yield block.first + row, names, moments[row]

    def _push(self, view: StepView, since: int, until: int) -> None:
        """Count the gradients of the steps from ``since`` to before ``until``."""
        memory = self.memory
        rates = view.learning_rate[since:until]
        memory.rate = float(np.fmax(memory.rate, np.fmax.reduce(rates))) if len(rates) else memory.rate
        for block, columns in view.blocks("gradient"):
            low, high = block.rows(since, until)
            if low >= high:
                continue
            norms = block.stat("l2")[low:high][:, columns].astype(np.float64)
            counts = np.maximum(block.stat("count")[low:high][:, columns].astype(np.float64), 1)
            memory.steps += high - low
            pushed, sizes = (norms > 0).sum(axis=0), (norms / np.sqrt(counts)).sum(axis=0)
            for column, times, size in zip(columns, pushed, sizes, strict=True):
                name = view.table[int(block.tensors[column])].name
                memory.pushes[name] = memory.pushes.get(name, 0) + int(times)
                memory.sizes[name] = memory.sizes.get(name, 0.0) + float(size)

    def _compare(self, view: StepView, at: int, names: list[str], prints: F64) -> bool:
        """Hold the weights against their first print; True if they could be, far enough apart."""
        memory, step, compared = self.memory, int(view.steps[at]), False
        gone = set(memory.moved)
        for name, moments in zip(names, prints, strict=True):
            known = memory.prints.setdefault(name, [float(step), *moments.tolist()])
            if name in gone or step == int(known[0]):
                continue
            if not np.array_equal(np.array(known[1:]), moments, equal_nan=True):
                memory.moved.append(name)
                memory.still.pop(name, None)
                compared = True
            elif step - int(known[0]) >= self.parameters.apart:
                memory.still[name] = step
                compared = True
        return compared and any(place == step for place in memory.still.values())


class UnchangedParameters(Unmoved):
    """Some weights of the model stay as they were while others learn."""

    id = "unchanged_parameters"
    meaning = "parameters of the model that the optimizer does not move, though they should learn"
    needs = "weight statistics (sampled) and gradients"
    trigger = (
        "some weights change and others are the same, in all eight moments, 45 steps or more later, though in half "
        "of the steps they had a gradient that the learning rate turns into a visible step (where no optimizer holds "
        "them: only if they still look as an initialiser leaves them, or are zeros); or the last layer is frozen as "
        "it was initialised, or (Keras, PyTorch) others that run are, and after 200 steps the loss is above half "
        "the cost of guessing; or nothing that the optimizer holds ever had a gradient; or (TensorFlow loops) the "
        "first or the last trainable variables were never among those applied in 50 steps, or variables that the "
        "loss is made of look new and were never assigned; or (Keras, a train_step of one's own) trainable weights "
        "of layers that run look new and never got a gradient; or (PyTorch) the output depends on parameters that "
        "look new and that neither the model nor any optimizer holds, or the losses reach parameters that no "
        "optimizer holds while the one that steps has not a single gradient; weights of float16 or bfloat16 are "
        "judged by update_swallowed"
    )
    source = "TrainCheck (OSDI'25), DeepDiagnosis (ICSE'22); the proof by moments is ours"
    summary = "{name} and {others} more have not moved since the first step: {why} (step {step}{where})."
    likely_causes = (
        "the optimizer was given the parameters of a part of the model, or of a copy made before it was wrapped",
        "the model was built anew (after loading a checkpoint, in the next fold) and the optimizer was not",
        "trainable=False, or requires_grad=False, on the wrong layer",
        "layers in a plain list or dict of a torch module: nn.ModuleList and nn.ModuleDict register them",
        "apply_gradients is called with a part of the variables",
    )
    advice = (
        "Give the optimizer all parameters: torch.optim.Adam(model.parameters()), after model.to(device) and every "
        "wrapper; in Keras set layer.trainable = True for {name} before compile(); in a loop of your own zip all "
        "gradients with model.trainable_variables."
    )
    consequence_of = ("learning_rate", "scaler_stuck", "zero_gradient")

    def observe(self, view: StepView) -> list[Finding]:
        """Of TensorFlow's loops also what was never given to the optimizer."""
        self.memory.cost.observe(view)
        asleep: list[Finding] = []
        for first, after in stretches(view, _EVERY):
            losses = view.data_loss[first:after]
            self.memory.losses.add(losses[np.isfinite(losses)])
            asleep += self._asleep(view, after - 1) if due(view, after - 1, _EVERY) else []
        return asleep or self._rest(view)

    def _rest(self, view: StepView) -> list[Finding]:
        cut = _APPLIED - self.memory.steps
        if view.run.framework != "tensorflow" or self.active or not 0 < cut < len(view):
            return self._loop(view)
        return self._loop(view.part(0, cut)) + self._loop(view.part(cut, len(view)))

    def _loop(self, view: StepView) -> list[Finding]:
        before = self.memory.steps
        found = super().observe(view)
        found += [one for at, event in view.events("bypassed") for one in self._bypassed(view, at, event)]
        for at, event in () if found or self.active else view.events("unapplied"):
            found += self._unapplied(view, at, event)
        late = before < _APPLIED <= self.memory.steps
        if found or self.active or not late or view.run.framework != "tensorflow":
            return found
        names = trainable(view.run)
        absent = [name for name in names if name not in self.memory.pushes and name not in self.memory.others]
        if not absent or not {names[0], names[-1]} & set(absent) or len(absent) == len(names):
            return []
        why = "they are trainable, and no gradient of them was ever applied"
        evidence = {"why": why, "others": len(absent) - 1, "parameters": absent[:16], "moved": len(names) - len(absent)}
        return [self.finding(view, len(view) - 1, Subject("weight", absent[0], view.rank), evidence)]

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Parameters that the output depends on, that look new, and that neither model nor optimizer knows of."""
        self._layers(view)
        self.memory.cost.observe_record(view)
        strays = _described(view.facts.get("unowned"))
        matrices = [one for one in strays if len(one["shape"]) > 1]
        if self.active or not matrices or not all(fresh(one["shape"], one) for one in matrices):
            return []
        return [
            self._stray(view, 0, strays, "the model computes with them, and neither it nor an optimizer holds them")
        ]

    def _bypassed(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        """Parameters that a loss reaches instead of the optimizer's; they may come from a checkpoint."""
        strays = [] if self.active else _described(event.get("parameters"))
        why = "the loss reaches them and nothing of what its optimizer holds, which steps without a gradient"
        return [self._stray(view, at, strays, why)] if strays else []

    def _stray(self, view: StepView | RecordView, at: int, strays: list[Mapping[str, Any]], why: str) -> Finding:
        shapes = [str(tuple(one["shape"])) for one in strays]
        evidence = {"why": why, "others": len(shapes) - 1, "parameters": shapes, "moved": len(self.memory.moved)}
        return self.finding(view, at, Subject("weight", f"a parameter of shape {shapes[0]}", view.rank), evidence)

    def _unapplied(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        """Variables that the loss is made of, that nothing moves, and that look new."""
        told = [one for one in event.get("variables") or () if isinstance(one, Mapping)]
        told = [one for one in told if one.get("asked") is not True]  # a cut graph: zero_gradient says that
        new = [one for one in told if fresh(one.get("shape") or (), {name: float(one[name]) for name in _SPREAD})]
        if not new or self.active:
            return []
        names = [str(one["name"]) for one in told]
        why = "the loss is made of them, and no optimizer was ever given their gradients"
        evidence = {"why": why, "others": len(names) - 1, "parameters": names[:16], "moved": event.get("moved", 0)}
        return [self.finding(view, at, Subject("weight", str(new[0]["name"]), view.rank), evidence)]

    def _outside(self, view: StepView) -> list[str]:
        """Keras: layers that run, and that a train_step of one's own leaves out: trainable, as they were drawn."""
        memory = self.memory
        if view.run.framework != "keras" or memory.rate == 0:
            return []
        absent = [name for name in trainable(view.run) if name not in memory.pushes and name in memory.still]
        if memory.layers or view.run.loss.get("losses"):  # else a loss of one's own: layers are built when they run
            absent = [name for name in absent if any(within(name, layer) for layer in memory.layers)]
        return absent if any(self._fresh(view, name) for name in absent) else []

    def _layers(self, view: RecordView) -> None:
        """Learn which layers run in the forward pass, and what other optimizers hold than the first."""
        several = view.facts.get("optimizers")
        if isinstance(several, Mapping):
            theirs = [str(name) for names in several.values() if isinstance(names, list) for name in names]
            self.memory.others = sorted({*self.memory.others, *theirs})
        told = view.facts.get("layers")
        if not self.memory.layers and view.phase == "train" and isinstance(told, list):
            self.memory.layers = [str(one.get("name")) for one in told if isinstance(one, Mapping)]

    def judge(self, view: StepView, at: int) -> list[Finding]:
        """Stuck weights while others move; or none moves, for none has a gradient."""
        memory = self.memory
        if not memory.moved and not memory.pushes and memory.rate > 0 and memory.still:
            names, why = list(memory.still), "no gradient ever reached what the optimizer holds"
            evidence = {"why": why, "others": len(names) - 1, "parameters": names[:16], "moved": 0, "lr": memory.rate}
            return [self.finding(view, at, Subject("weight", names[0], view.rank), evidence)]
        if not memory.moved:
            return []
        stuck = self.stuck(view)
        owned = held(view.run)
        unheld = [name for name in stuck if owned is not None and name not in owned]
        if unheld:
            inside = [name for name in stuck if name not in unheld]
            stuck = inside or (stuck if self._all_fresh(view, unheld) else [])
            why = "no optimizer holds them, though they have gradients"
        else:
            why = "they have gradients, and a learning rate that would show"
        if not stuck:
            stuck, why = self._outside(view), "their layers run, and no gradient of them was ever applied"
        if not stuck:
            stuck, why = self._head(view), "they are frozen as they were initialised, at the end of the model"
        if not stuck:
            stuck, why = self._body(view), "they are frozen as they were initialised, and the loss stays high"
        if not stuck:
            return []
        evidence = {"why": why, "others": len(stuck) - 1, "parameters": stuck[:16], "moved": len(self.memory.moved)}
        evidence |= {"since": int(self.memory.prints[stuck[0]][0]), "lr": self.memory.rate}
        return [self.finding(view, at, Subject("weight", stuck[0], view.rank), evidence)]

    def _all_fresh(self, view: StepView, names: list[str]) -> bool:
        """Whether the matrices among ``names`` all look new: a body that was trained before may be left as it is.

        So does one of zeros (the second of an adapter, LoRA, Hu et al. 2022): no training leaves that behind.
        """
        shapes = {tensor.name: tensor.shape for tensor in view.table if tensor.kind == "weight"}
        matrices = [name for name in names if len(shapes.get(name, ())) >= 2]
        return bool(matrices) and all(self._zero(name) or self._fresh(view, name) for name in matrices)

    def _zero(self, name: str) -> bool:
        return bool(self.memory.prints[name][1 + MOMENTS.index("absmax")] == 0)

    def _fresh(self, view: StepView, name: str) -> bool:
        shape = next((t.shape for t in view.table if t.kind == "weight" and t.name == name), ())
        moments = dict(zip(MOMENTS, self.memory.prints[name][1:], strict=True))
        return fresh(shape, moments)

    def _head(self, view: StepView) -> list[str]:
        """The last declared layer with weights (Keras), if it is not trained and looks new: zero bias, drawn kernel."""
        memory = self.memory
        layers = [[str(w.get("name")) for w in weights(layer)] for layer in view.run.layers if weights(layer)]
        if view.run.framework not in {"keras", "tensorflow"} or len(layers) < 2 or not memory.still:
            return []
        names = [name for name in layers[-1] if name in memory.still]
        if len(names) != len(layers[-1]) or len(names) < 2 or any(memory.pushes.get(name) for name in names):
            return []
        zero = [name for name in names if self._zero(name)]
        drawn = [name for name in names if self._fresh(view, name)]
        last = max(memory.still[name] for name in names)
        return names if zero and drawn and last - int(memory.prints[names[0]][0]) >= 2 * self.parameters.apart else []

    def _body(self, view: StepView) -> list[str]:
        """Frozen layers that run, all of them as they were drawn, where the rest has not made up for them.

        Who freezes a body means one that was trained; random features on purpose (an extreme learning machine, a
        target of distillation) are many, or are learnt well.
        """
        memory = self.memory
        names = [name for name in memory.still if not memory.pushes.get(name) and name in frozen(view.run)]
        names = [name for name in names if any(within(name, layer) for layer in memory.layers)]
        return names if names and self._poor and self._all_fresh(view, names) else []

    @property
    def _poor(self) -> bool:
        """Whether after 200 losses they are still above half the cost of guessing."""
        memory, chance = self.memory, self.memory.cost.chance
        if chance is None or memory.losses.count < self.parameters.settled or not len(memory.losses.last):
            return False
        return bool(float(np.median(memory.losses.last)) > self.parameters.poor * chance > 0)

    def _asleep(self, view: StepView, at: int) -> list[Finding]:
        """PyTorch: the same of matrices that no optimizer was given: the agent describes them once."""
        told = {} if self.active or not self._poor else idle(view.run)
        names = [name for name in told if any(name.startswith(f"{layer}.") for layer in self.memory.layers)]
        # A copy of what is trained is a teacher, or a target that follows (BYOL, Q-learning), not a body left undone.
        trained = {_moments(one) for one in view.run.section("init").values() if isinstance(one, Mapping)}
        copied = any(_moments(one) in trained for one in told.values())
        if not names or copied or not all(fresh(one["shape"], one) for one in told.values()):
            return []
        why = "they need no gradient and are as they were initialised, and the loss stays high"
        evidence = {"why": why, "others": len(names) - 1, "parameters": names[:16], "moved": len(self.memory.moved)}
        return [self.finding(view, at, Subject("weight", names[0], view.rank), evidence)]


def _moments(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(one.get(name) for name in _SPREAD)


def _described(told: Any) -> list[Mapping[str, Any]]:
    """The parameters that the agent described."""
    return [one for one in told if isinstance(one, Mapping) and "shape" in one] if isinstance(told, list) else []
