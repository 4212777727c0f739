"""Pairs that differ in one entry of the loss's and the penalties' part of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.identify.fact import Facts
from auditor.compare.identify.loss import value_of
from auditor.compare.identify.loss_pairs import pair_of
from auditor.compare.profile import Profile, profile
from auditor.compare.recognise import loss
from auditor.compare.recognise.cause import MATTERS
from auditor.compare.trajectories import Curve
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, glorot, inputs, sgd, targets, torch_stepper

X = inputs()
LABELS = np.random.default_rng(3).integers(0, 4, 96).astype(np.int64)
BINARY = (X[:, :1] > 0).astype(np.float32)
MANY = (targets(X, 3) > 0).astype(np.float32)
COUNTS = np.random.default_rng(4).poisson(2.0, (96, 1)).astype(np.float32)
SHARES = np.random.default_rng(5).dirichlet(np.ones(4), 96).astype(np.float32)
TAGS = np.random.default_rng(6).integers(0, 4, (96, 3)).astype(np.int64)
WEIGHTS = np.array([0.2, 3.0, 1.0, 0.5], np.float32)


def run(loss: Callable[[Tensor, Tensor], Tensor], y: Any = None, outputs: int = 1, **more: Any) -> Tiny:
    """A run that minimises ``loss`` by plain SGD."""
    given = {"weights": lambda: glorot(0, (6, 24, outputs))} | more
    return Tiny(stepper=sgd, loss=loss, y=y, **given)


def deep() -> list[np.ndarray]:
    """Three kernels."""
    return glorot(0, (6, 24, 12, 1))


def inner(weight: np.ndarray) -> bool:
    """Kernels but the last one's."""
    return weight.ndim > 1 and weight.shape[1] > 1


def mean(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean of an elementwise loss."""
    return lambda o, y: loss(o, y).mean()


def softmax(o: Tensor) -> Tensor:
    """Over classes."""
    return torch.softmax(o, -1)


def weighted(o: Tensor, y: Tensor) -> Tensor:
    """PyTorch's class weights: divided by the sum of the weights."""
    return functional.cross_entropy(o, y, weight=torch.tensor(WEIGHTS))


def weighted_by_batch(o: Tensor, y: Tensor) -> Tensor:
    """Keras's: divided by the batch."""
    return (functional.cross_entropy(o, y, reduction="none") * torch.tensor(WEIGHTS)[y]).mean()


def clipped(o: Tensor, y: Tensor) -> Tensor:
    """Cross entropy of probabilities as Keras clips them, far off on purpose."""
    p = torch.clip(o / o.sum(-1, keepdim=True), 1e-7, 1 - 1e-7)
    return -torch.log(p.gather(1, y[:, None])).mean()


def loud() -> Any:
    """Weights that saturate a softmax."""
    return [w * 10 if w.ndim > 1 else w for w in glorot(0, (6, 24, 4))]


def divergence(reduction: str) -> Callable[[Tensor, Tensor], Tensor]:
    """PyTorch's KLDivLoss; its mean, of which it warns itself, by hand."""
    return lambda o, y: functional.kl_div(o, y, reduction="sum") / (o.numel() if reduction == "mean" else len(o))


def places(o: Tensor) -> Tensor:
    """Three places of four classes each."""
    return o.reshape(len(o), 3, 4)


def tagged(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss of rows, of all places of all samples."""
    return lambda o, y: loss(o.reshape(-1, 4), y.reshape(-1))


def unpadded(o: Tensor, y: Tensor) -> Tensor:
    """The mean of the rows that count."""
    return functional.cross_entropy(o, y, ignore_index=0)


def padded(o: Tensor, y: Tensor) -> Tensor:
    """Padding masked, and divided by all rows."""
    return (functional.cross_entropy(o, y, reduction="none") * (y != 0)).mean()


def focal(o: Tensor, y: Tensor) -> Tensor:
    """A loss that no table has: rows that are right count for less (Lin et al., 2017)."""
    rows = functional.cross_entropy(o, y, reduction="none")
    return ((1 - torch.exp(-rows)) ** 2 * rows).mean()


CE, MSE = functional.cross_entropy, functional.mse_loss
K_WEIGHTS = {("target", "loss.weight"): WEIGHTS}

PAIRS: dict[str, tuple[str, Tiny, Tiny]] = {
    "another loss": ("LOSS-00", run(MSE), run(functional.l1_loss)),
    "a loss that no table has": ("LOSS-00", run(CE, LABELS, 4), run(focal, LABELS, 4)),
    "the root of it": ("LOSS-00", run(MSE), run(lambda o, y: functional.mse_loss(o, y).sqrt())),
    "half": ("LOSS-01", run(MSE), run(lambda o, y: 0.5 * MSE(o, y))),
    "broadcast": ("LOSS-02", run(MSE, targets(X)), run(lambda o, y: ((o - y) ** 2).mean(), targets(X)[:, 0])),
    "sum": ("LOSS-03", run(MSE), run(lambda o, y: MSE(o, y, reduction="sum"))),
    "vector handed to autodiff": ("LOSS-03", run(MSE), run(MSE, gradients=lambda g: [16 * x for x in g])),
    "logits for probabilities": ("LOSS-04", run(CE, LABELS, 4), run(clipped, LABELS, 4)),
    "no logarithm": ("LOSS-04", run(CE, LABELS, 4), run(functional.nll_loss, LABELS, 4, head=softmax)),
    "no logarithm of a softmax in the loop": (
        "LOSS-04",
        run(CE, LABELS, 4),
        run(lambda o, y: functional.nll_loss(torch.softmax(o, -1), y), LABELS, 4),
    ),
    "no softmax at all": ("LOSS-04", run(CE, LABELS, 4), run(functional.nll_loss, LABELS, 4)),
    "softmax twice": ("LOSS-05", run(CE, LABELS, 4), run(CE, LABELS, 4, head=softmax)),
    "clipped probabilities": (
        "LOSS-06",
        run(lambda o, y: functional.nll_loss(torch.log(o), y), LABELS, 4, head=softmax, weights=loud),
        run(clipped, LABELS, 4, head=softmax, weights=loud),
    ),
    "label smoothing": ("LOSS-07", run(CE, LABELS, 4), run(lambda o, y: CE(o, y, label_smoothing=0.1), LABELS, 4)),
    "binary label smoothing": (
        "LOSS-07",
        run(functional.binary_cross_entropy_with_logits, BINARY),
        run(lambda o, y: functional.binary_cross_entropy_with_logits(o, y * 0.9 + 0.05), BINARY),
    ),
    "class weights": (
        "LOSS-08",
        run(weighted, LABELS, 4, extra=K_WEIGHTS),
        run(weighted_by_batch, LABELS, 4, extra=K_WEIGHTS),
    ),
    "divergence": (
        "LOSS-10",
        run(divergence("mean"), SHARES, 4, head=lambda o: torch.log_softmax(o, -1)),
        run(divergence("batchmean"), SHARES, 4, head=lambda o: torch.log_softmax(o, -1)),
    ),
    "divergence of logits": (
        "LOSS-10",
        run(lambda o, y: divergence("mean")(torch.log_softmax(o, -1), y), SHARES, 4),
        run(lambda o, y: divergence("batchmean")(torch.log_softmax(o, -1), y), SHARES, 4),
    ),
    "padding among what is divided by": (
        "LOSS-09",
        run(tagged(unpadded), TAGS, 12, head=places),
        run(tagged(padded), TAGS, 12, head=places),
    ),
    "smooth l1": (
        "LOSS-11",
        run(lambda o, y: functional.huber_loss(o, y, delta=0.5)),
        run(lambda o, y: functional.smooth_l1_loss(o, y, beta=0.5)),
    ),
    "huber": ("LOSS-11", run(MSE), run(lambda o, y: functional.huber_loss(o, y, delta=0.5))),
    "poisson": (
        "LOSS-12",
        run(lambda o, y: functional.poisson_nll_loss(o, y, log_input=True), COUNTS),
        run(lambda o, y: functional.poisson_nll_loss(o, y, log_input=False), COUNTS, head=functional.softplus),
    ),
    "cosine": (
        "LOSS-13",
        run(lambda o, y: -functional.cosine_similarity(o, y).mean(), targets(X, 3), 3),
        run(lambda o, y: (1 - functional.cosine_similarity(o, y)).mean(), targets(X, 3), 3),
    ),
    "gradient of the sum over outputs": (
        "LOSS-14",
        run(MSE, targets(X, 3), 3),
        run(MSE, targets(X, 3), 3, gradients=lambda g: [3 * x for x in g]),
    ),
    "labels summed": (
        "LOSS-15",
        run(functional.binary_cross_entropy_with_logits, MANY, 3),
        run(lambda o, y: functional.binary_cross_entropy_with_logits(o, y, reduction="none").sum(1).mean(), MANY, 3),
    ),
    "penalty missing": ("LOSS-16", run(MSE, l2=0.05), run(MSE)),
    "penalty within one number": ("LOSS-16", run(MSE, l2=0.05, told_apart=False), run(MSE)),
    "penalty of all layers but the last, within one number": (
        "LOSS-16",
        run(MSE, weights=deep, l2=0.03, told_apart=False, penalized=inner),
        run(MSE, weights=deep),
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_the_only_difference_is_told_first(case: str) -> None:
    """Nothing is declared: what is said comes from the numbers alone."""
    entry, a, b = PAIRS[case]
    found = diagnose(a.profile("a"), b.profile("b"))
    told = [(cause.id, cause.parameter, cause.values, cause.effect) for cause in found.causes]
    assert told, found.harmless
    assert told[0][0] == entry, told
    assert found.causes[0].how == "measured"


def test_adam_hides_the_half_and_the_loss_still_shows_it() -> None:
    """Under Adam a constant factor changes next to nothing of the steps, which is said; the loss is another one."""
    a = Tiny().profile("a")
    b = Tiny(loss=lambda o, y: 0.5 * MSE(o, y)).profile("b")
    found = diagnose(a, b)
    assert found.causes[0].id == "LOSS-01"
    assert found.causes[0].weight < MATTERS
    assert re.search(r"steps change by \S+e-0\d %", found.causes[0].effect)
    assert found.matters


def test_a_penalty_is_read_off_the_steps_that_show_it() -> None:
    """The first step's output was not recorded: what its loss holds beyond the data's is unknown, not nothing."""
    recordings = Tiny(l2=0.01, told_apart=False).recordings()
    kept = [one for one in recordings[0].arrays if one.role != "output"]
    recordings[0] = Recording(1, kept, recordings[0].scalars, recordings[0].facts)
    found = profile("a", "torch", assembled(recordings))
    assert found.value("penalty.l2") == pytest.approx(0.01, rel=1e-2)


def in_groups() -> Any:
    """SGD that decays the first two kernels of three."""
    return torch_stepper(
        lambda p: torch.optim.SGD([{"params": [p[0], p[2]], "weight_decay": 0.06}, {"params": [p[1], *p[3:]]}], lr=1e-2)
    )


@pytest.mark.parametrize("apart", [True, False], ids=["told apart", "within one number"])
def test_decay_of_some_kernels_in_the_optimizer_is_their_penalty_in_the_loss(apart: bool) -> None:
    """Plain SGD: the same steps, whichever layers are spared."""
    a = Tiny(stepper=in_groups, weights=deep).profile("a")
    b = Tiny(stepper=sgd, weights=deep, l2=0.03, penalized=inner, told_apart=apart).profile("b")
    assert b.value("penalty.l2") == pytest.approx(0.03, rel=1e-3)
    assert b.value("penalty.tensors") == ["layer0.weight", "layer1.weight"]
    assert not diagnose(a, b).matters


def test_a_penalty_of_kernels_that_do_not_stand_side_by_side_is_told() -> None:
    """The first and the last of three."""
    found = Tiny(stepper=sgd, weights=deep, l2=0.03, penalized=lambda w: w.shape in {(6, 24), (12, 1)}).profile()
    assert found.value("penalty.tensors") == ["layer0.weight", "layer2.weight"]


@pytest.mark.parametrize(("factor", "told"), [(0.25, 0.25), (1 / 3, 1 / 3), (0.37, 0.37), (7.0, 7.0)])
def test_a_loss_times_any_number_is_that_loss_and_the_number(factor: float, told: float) -> None:
    """Divided by the batches to a step, or weighed: no reason not to know the function."""
    found = Tiny(loss=lambda o, y: factor * functional.l1_loss(o, y)).profile()
    assert found.value("loss.function") == "absolute error"
    assert found.value("loss.factor") == pytest.approx(told, rel=1e-5)


def test_another_function_is_not_made_to_fit_by_a_number() -> None:
    """A loss of nobody's table, off by another factor at each step, is none of it."""
    found = Tiny(loss=lambda o, y: ((o - y).abs() ** 1.5).mean()).profile()
    assert found.value("loss.function") is None


@pytest.mark.parametrize(("count", "entry"), [(4.0, "OPT-21"), (1.0, "LOSS-00")])
def test_a_loss_that_is_not_divided_by_the_batches_to_a_step(count: float, entry: str) -> None:
    """Both sides add up so many batches, one takes a part of each loss; where a step is one batch it is a factor."""
    curves = {"micro_batches": Curve(np.arange(1, 13), np.full(12, count))}
    whole = run(functional.cross_entropy, LABELS, 4).profile("a", curves=dict(curves))
    parts = run(lambda o, y: functional.cross_entropy(o, y) / 4, LABELS, 4).profile("b", curves=dict(curves))
    assert diagnose(whole, parts).causes[0].id == entry


def test_the_root_of_a_mean_is_known_with_what_it_is_of() -> None:
    """No sum over the batch: the slope of the loss by its outputs follows as well."""
    root = run(lambda o, y: functional.mse_loss(o, y).sqrt()).profile()
    best = root.loss[0]
    assert (best.function, best.explains) == ("root of the squared error", True)
    pair = pair_of(root.evidence.steps[0])
    assert pair is not None
    assert value_of(best, pair) == pytest.approx(pair.value, rel=1e-5)


def test_targets_that_come_smoothed_are_label_smoothing() -> None:
    """As PyTorch's loss of classes' shares keeps them; the other side's loss smooths them itself."""
    classes = np.eye(3, dtype=np.float32)[np.random.default_rng(0).integers(0, 3, 96)]
    smooth = np.float32(0.9) * classes + np.float32(0.1 / 3)
    widths: dict[str, Any] = {"weights": lambda: glorot(widths=(6, 24, 3))}
    entropy: dict[str, Any] = {"loss": functional.cross_entropy}
    itself: dict[str, Any] = {"loss": lambda o, y: functional.cross_entropy(o, y, label_smoothing=0.1)}
    before = Tiny(y=smooth, **widths, **entropy).profile("a")
    assert before.value("loss.label_smoothing") == pytest.approx(0.1, abs=1e-5)
    assert not diagnose(before, Tiny(y=classes, **widths, **itself).profile("b")).matters
    assert diagnose(before, Tiny(y=classes, **widths, **entropy).profile("b")).causes[0].id == "LOSS-07"


@pytest.mark.parametrize(
    ("chain", "known", "told"),
    [
        (["Mean", "Log", "Cosh", "Sub"], MSE, True),
        (["Mean", "Pow", "Sub"], MSE, False),
        (["Mean", "Exp", "Mul"], MSE, False),
        (["Mean", "Log", "Cosh", "Sub"], lambda o, y: torch.log(torch.cosh(o - y)).mean(), False),
    ],
)
def test_a_loss_of_which_only_the_graph_is_known(chain: list[str], known: Any, told: bool) -> None:
    """Another function of a difference than squares and absolute values; any spelling of another loss may be it."""
    a, b = run(known).profile(), run(MSE).profile()
    facts = {"loss": {"chain": chain}}
    steps = tuple(replace(one, facts=facts, arrays={}) for one in b.evidence.steps)
    unknown = replace(b, evidence=replace(b.evidence, steps=steps), loss=[], facts=Facts())
    causes = [cause.parameter for cause in loss.causes(a, unknown)]
    assert ("loss.function" in causes) is told


@pytest.mark.parametrize(("least", "told"), [(0.1, True), (-0.1, False)])
def test_a_rate_that_is_taken_for_its_logarithm_is_told_by_the_graph(least: float, told: bool) -> None:
    """PyTorch's loss keeps no target: e to the output less a product. Outputs below zero are logarithms."""
    rate = run(lambda o, y: functional.poisson_nll_loss(o, y, log_input=False), COUNTS, head=functional.softplus)
    known, other = rate.profile(), rate.profile("b")
    graph = [
        {"op": "Mean", "inputs": [1]},
        {"op": "Sub", "inputs": [2, 3]},
        {"op": "Exp", "inputs": ["output0"]},
        {"op": "Mul", "inputs": [None, "output0"]},
    ]
    outputs = [array("output", "output0", np.linspace(least, 2, 8, dtype=np.float32)[:, None])]
    steps = tuple(assembled([Recording(at + 1, outputs, {"loss": 1.0}, {"loss": {"graph": graph}}) for at in range(3)]))
    unknown = replace(other, evidence=replace(other.evidence, steps=steps), loss=[], facts=Facts())
    found = [(cause.id, cause.mend) for cause in loss.causes(known, unknown)]
    assert (found == [("LOSS-12", "b")]) is told
    assert ([cause.id for cause in loss.causes(unknown, unknown)]) == []


@pytest.mark.parametrize("ignored", [0, -100])
def test_classes_of_places_lie_along_the_second_axis_in_pytorch(ignored: int) -> None:
    """What its loss was given and the model's own output tell one loss; padding is the class that it leaves out."""
    rng = np.random.default_rng(2)
    steps = []
    for at in range(4):
        logits, classes = rng.standard_normal((8, 5, 6)).astype(np.float32), rng.integers(0, 5, (8, 6))
        value = CE(torch.tensor(logits), torch.tensor(classes), ignore_index=ignored)
        shares = torch.log_softmax(torch.tensor(logits), 1).numpy()[:, :, None]
        arrays = [array("output", "output0", logits), array("output", "NllLoss2D.input", shares)]
        arrays += [array("target", "loss.target", classes[:, None])]
        facts = {"loss": {"graph": [{"op": "NllLoss2D", "ignore_index": ignored}]}}
        steps.append(Recording(at + 1, arrays if at else arrays[1:], {"loss": float(value)}, facts))
    told = profile("a", "torch", assembled(steps))
    assert (told.value("loss.function"), told.value("loss.takes")) == ("cross entropy", "logits")
    assert told.value("loss.reduction") == ("mean" if ignored else "mean without padding")


def test_a_loss_that_both_compute_and_no_table_has_is_no_difference() -> None:
    """Nor is one with more in it that the output has no part in."""
    assert not [one for one in loss.causes(*(run(focal, LABELS, 4).profile() for _ in "ab")) if one.id == "LOSS-00"]
    more = run(lambda o, y: CE(o, y) + torch.rand((), generator=torch.Generator().manual_seed(len(y))), LABELS, 4)
    assert not [one for one in loss.causes(run(CE, LABELS, 4).profile(), more.profile()) if one.id == "LOSS-00"]


@pytest.mark.parametrize(
    ("scale", "steep", "count", "entries"),
    [
        (4.2, 3.7, 4.0, ["OPT-21"]),
        (0.24, 0.27, 4.0, ["OPT-21"]),
        (1.1, 0.9, 4.0, []),
        (4.2, 1.0, 4.0, []),
        (0.25, 4.0, 4.0, []),
        (4.0, 4.0, 1.0, []),
    ],
)
def test_a_sum_of_batches_and_their_mean_are_told_by_the_first_step(
    scale: float, steep: float, count: float, entries: list[str]
) -> None:
    """Loss and gradient together, where the loss of several batches is none that can be fitted."""

    def side(factor: float, slope: float) -> Profile:
        told = {"loss": factor, "grad_norm": slope, "micro_batches": count}
        curves = {name: Curve(np.arange(1, 3), np.full(2, value)) for name, value in told.items()}
        known = Tiny(steps=2).profile(curves=curves)
        unfitted = {name: fact for name, fact in known.facts.measured.items() if not name.endswith(".factor")}
        return replace(known, facts=replace(known.facts, measured=unfitted))

    found = loss.causes(side(2.0, 0.5), side(2.0 * scale, 0.5 * steep))
    assert [one.id for one in found if one.parameter == "update.gradient_accumulation"] == entries
