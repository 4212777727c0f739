"""Losses of two terms: a variational autoencoder's, and a mean over positions of which some are padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

Rebuilt = Callable[[Tensor, Tensor], Tensor]


def coded(rebuilt: Rebuilt, beta: float = 1.0, *, deviation: bool = False, target: bool = False) -> Profile:
    """Steps of an autoencoder of eight rows of five; its divergence by PyTorch's own distributions.

    ``deviation``: its last output is the logarithm of the standard deviation. ``target``: the loss's own was recorded.
    """
    rng = np.random.default_rng(3)
    found = []
    for at in range(8):
        x, logits = rng.random((8, 5)), rng.standard_normal((8, 5))
        mean, spread = rng.standard_normal((8, 2)), rng.standard_normal((8, 2))
        scale = torch.tensor(np.exp(spread if deviation else spread / 2))
        divergence = kl_divergence(Normal(torch.tensor(mean), scale), Normal(0.0, 1.0)).sum(1).mean()
        value = float(rebuilt(torch.tensor(logits), torch.tensor(x)) + beta * divergence)
        arrays = [array("output", f"output{i}", each) for i, each in enumerate((logits, mean, spread))]
        arrays.append(array("target", "loss.target", x) if target else array("batch", "input0", x))
        found.append(Recording(at + 1, arrays, {"loss": value}, {}))
    return profile("a", "torch", assembled(found), Beside())


def summed(o: Tensor, y: Tensor) -> Tensor:
    """Binary cross entropy of logits, a sample's sum."""
    return functional.binary_cross_entropy_with_logits(o, y, reduction="sum") / len(y)


def averaged(o: Tensor, y: Tensor) -> Tensor:
    """Its mean over all elements."""
    return functional.binary_cross_entropy_with_logits(o, y)


@pytest.mark.parametrize("beside", [{}, {"deviation": True}, {"target": True}])
def test_what_reconstruction_and_divergence_count_for_is_solved_for(beside: dict[str, bool]) -> None:
    """The reconstruction's mean against its sum gives the divergence five times its part; so does a factor of five."""
    assert coded(summed, **beside).value("loss.terms") == {
        "function": "binary cross entropy", "reconstruction": pytest.approx(1), "divergence": pytest.approx(1),
    }  # fmt: skip
    found = diagnose(coded(summed), coded(averaged, **beside)).causes[0]
    assert (found.id, found.parameter, found.weight) == ("LOSS-00", "loss.terms", pytest.approx(0.8))
    same = diagnose(coded(summed, 5.0), coded(averaged, **beside)).causes
    assert "loss.terms" not in {cause.parameter for cause in same}


def test_another_reconstruction_is_told_by_its_name() -> None:
    """Squares on one side."""
    found = diagnose(coded(summed), coded(functional.mse_loss)).causes[0]
    assert (found.parameter, found.values) == ("loss.terms", ("binary cross entropy", "squared error"))


def test_a_sum_with_more_in_it_tells_no_terms() -> None:
    """Nor does one with no divergence, whose part would be none."""
    rng = np.random.default_rng(0)
    assert coded(lambda o, y: summed(o, y) + rng.random()).value("loss.terms") is None
    assert coded(summed, 0.0).value("loss.terms") is None


def masked(each: Any, mask: np.ndarray, *, by_all: bool, steps: int = 4) -> Profile:
    """Steps whose losses per position and mask were recorded, as a TensorFlow loop that writes both out leaves them."""
    rng = np.random.default_rng(1)
    found = []
    for at in range(steps):
        positions = each(rng)
        value = float((positions * mask).sum() / (mask.size if by_all else mask.sum()))
        arrays = [array("output", "output0", positions), array("target", "target0", mask)]
        facts = {"loss": {"operation": "arithmetic", "reduction": "mean", "derived": True, "broadcast": False}}
        found.append(Recording(at + 1, arrays, {"loss": value}, facts))
    return profile("b", "tensorflow", assembled(found), Beside())


MASK = (np.arange(6)[None] < np.array([2, 5, 3, 6])[:, None]).astype(np.float32)


def positive(rng: np.random.Generator) -> np.ndarray:
    """Losses of four rows of six positions."""
    return rng.exponential(size=(4, 6)).astype(np.float32)


@pytest.mark.parametrize(("by_all", "reduction"), [(True, "padding as zeros, mean"), (False, "mean without padding")])
def test_padding_that_a_program_masks_itself_is_read_off_the_numbers(by_all: bool, reduction: str) -> None:
    """Whatever a position's loss is; a mask with ones in its midst may be classes, and one of ones pads nothing."""
    told = masked(positive, MASK, by_all=by_all)
    assert told.value("loss.reduction") == reduction
    for other in (np.eye(4, 6, dtype=np.float32), np.ones((4, 6), np.float32)):
        assert masked(positive, other, by_all=by_all).value("loss.reduction") == "mean"


def test_padding_among_what_one_side_divides_by_is_told() -> None:
    """Two thirds of the positions count; two that divide alike are no difference."""
    sides = [masked(positive, MASK, by_all=by_all) for by_all in (True, False)]
    found = next(cause for cause in diagnose(*sides).causes if cause.id == "LOSS-09")
    assert (found.parameter, found.weight) == ("loss.scale", pytest.approx(0.5, rel=0.2))
    assert "LOSS-09" not in {cause.id for cause in diagnose(sides[0], sides[0]).causes}


TAGS, PADDED = 3, np.arange(6)[None] >= np.array([2, 5, 3, 6])[:, None]


def tagged(kind: str, seed: int = 0) -> Profile:
    """A cross entropy of places: classes of -1 for padding, or logits that Keras's function has made zeros there."""
    found = []
    for at in range(6):
        rng = np.random.default_rng(100 * seed + at)
        logits, classes = rng.normal(size=(4, 6, TAGS)).astype(np.float32), rng.integers(0, TAGS, (4, 6))
        each = functional.cross_entropy(torch.tensor(logits).flatten(0, 1), torch.tensor(classes).flatten(),
                                        reduction="none").numpy()  # fmt: skip
        whole = each[~PADDED.ravel()].sum()
        value = whole / each.size if kind == "by all" else whole / (~PADDED).sum()
        if kind == "by all":  # as the function hands them on, in one row
            logits, classes = np.where(PADDED[..., None], 0, logits), np.where(PADDED, 0, classes)
            arrays = [array("output", "output0", logits.reshape(-1, TAGS)), array("target", "target0", classes.ravel())]
        else:
            arrays = [array("output", "output0", logits), array("target", "target0", np.where(PADDED, -1, classes))]
        arrays += [array("batch", "input0", rng.integers(0, 9, (4, 6)))]
        found.append(Recording(at + 1, arrays, {"loss": float(value)}, {"loss": {}}))
    return profile("a", "keras", assembled(found), Beside())


def test_padding_of_no_class_is_left_out_or_divided_by() -> None:
    """Keras's ``ignore_class=-1``: of the loss's object and of its function, whose mean the program takes by hand."""
    ours, theirs = tagged("by what counts"), tagged("by all", 3)
    assert [side.value("loss.reduction") for side in (ours, theirs)] == ["mean", "padding as zeros, mean"]
    told = next(cause for cause in diagnose(ours, theirs).causes if cause.id.startswith("LOSS"))
    assert (told.id, told.parameter) == ("LOSS-09", "loss.scale")
    assert f"{PADDED.size / (~PADDED).sum():.3g} times" in told.effect
    assert not [one for one in diagnose(ours, tagged("by what counts", 4)).causes if one.id.startswith("LOSS")]


def masked_by_inputs(seed: int, *, by_all: bool) -> Profile:
    """Places of padded sequences, times a mask that nobody recorded; padding is of a class that others are of."""
    found = []
    for at in range(6):
        rng = np.random.default_rng(100 * seed + at)
        logits, classes = rng.normal(size=(24, TAGS)).astype(np.float32), rng.integers(0, TAGS, (4, 6))
        classes[PADDED] = 0
        each = functional.cross_entropy(torch.tensor(logits), torch.tensor(classes).flatten(), reduction="none")
        kept = each.numpy() * ~PADDED.ravel()
        value = kept.sum() / (kept.size if by_all else (~PADDED).sum())
        words = np.where(PADDED, 0, rng.integers(1, 9, (4, 6)))
        arrays = [array("batch", "input0", words), array("target", "target0", classes.ravel())]
        found.append(Recording(at + 1, [*arrays, array("output", "output0", logits)], {"loss": float(value)}, {}))
    return profile("a", "tensorflow", assembled(found), Beside())


@pytest.mark.parametrize(("by_all", "reduction"), [(True, "padding as zeros, mean"), (False, "mean without padding")])
def test_places_where_the_inputs_are_padded_are_left_out(by_all: bool, reduction: str) -> None:
    """By a mask of the program's own; against classes of -1 it is known what is divided by, and no other scale."""
    told = masked_by_inputs(1, by_all=by_all)
    assert told.value("loss.reduction") == reduction
    causes = [one.id for one in diagnose(tagged("by what counts"), told).causes if one.id.startswith("LOSS")]
    assert causes == (["LOSS-09"] if by_all else [])
    assert told.value("data.target.range") == tagged("by what counts").value("data.target.range") == [0, TAGS - 1]
