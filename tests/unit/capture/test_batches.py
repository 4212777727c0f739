"""Digests of batches, epochs and weights; what units did."""

from __future__ import annotations

import numpy as np
import pytest

from auditor_agent.capture import native, units
from auditor_agent.capture.batches import BITS, SAMPLE_BYTES, Epoch, batch_digest
from auditor_agent.capture.weights import WeightDigests

RNG = np.random.default_rng(0)


def test_equal_inputs_have_equal_digests_whatever_their_layout() -> None:
    """A copy, a view with strides, Fortran order: the same numbers in the same places."""
    wide = RNG.standard_normal((70, 40))
    batch = wide[:, ::2]
    digests = {batch_digest([array]) for array in (batch, batch.copy(), np.asfortranarray(batch))}
    assert len(digests) == 1
    assert 0 <= digests.pop() < 2**BITS


@pytest.mark.parametrize("place", [0, 299, 599])
def test_one_changed_element_of_a_small_batch_changes_the_digest(place: int) -> None:
    """A batch within the sample's size is looked at whole; its shape and type count as well."""
    batch = RNG.standard_normal(600).astype("float32")
    assert batch.nbytes <= SAMPLE_BYTES
    other = batch.copy()
    other[place] += 1
    told = [batch_digest([a]) for a in (batch, other, batch.reshape(30, 20), batch.astype("float64"))]
    assert len(set(told)) == 4


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (7, 3), (64, 17), (129, 33), (5000, 16)])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "int32", "float64", "complex128"])
def test_the_digest_is_the_same_with_and_without_the_library(
    shape: tuple[int, ...], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C and NumPy say the same number, of one array and of several."""
    if not native.available():
        pytest.skip("the library was not built")
    arrays = [(10 * RNG.standard_normal(shape)).astype(dtype), RNG.integers(0, 9, (40, 40)), np.ones(9, dtype)]
    told = [batch_digest(arrays[:count]) for count in range(4)]
    monkeypatch.setattr(native, "digest", lambda: None)
    assert told == [batch_digest(arrays[:count]) for count in range(4)]


def test_text_and_objects_have_digests() -> None:
    """Of strings the bytes count, of objects the shape alone: their addresses say nothing."""
    texts = np.array(["one", "a very long line of text that is more than a run's bytes"])
    assert batch_digest([texts]) != batch_digest([texts[::-1].copy()])
    assert batch_digest([np.array([{}, []], object)]) == batch_digest([np.array([None, "x"], object)])


def test_rows_in_another_order_change_the_digest_of_a_large_batch() -> None:
    """The sample meets every column: a constant one does not hide the others."""
    batch = RNG.standard_normal((5000, 16))
    batch[:, 0] = 1.0
    assert batch_digest([batch]) != batch_digest([batch[::-1]])


def test_an_epochs_content_is_free_of_its_order() -> None:
    """Steps and samples are counted; the next epoch begins empty."""
    epoch = Epoch()
    told = []
    for order in ((1, 2, 3), (3, 1, 2), (1, 2, 4)):
        for digest in order:
            epoch.add(digest, 10)
        told.append(epoch.end())
    assert [(e["epoch"], e["steps"], e["samples"]) for e in told] == [(1, 3, 30), (2, 3, 30), (3, 3, 30)]
    assert told[0]["content"] == told[1]["content"] != told[2]["content"]
    assert told[0]["order"] != told[1]["order"]


def test_weights_are_told_by_name_only_when_they_changed() -> None:
    """The digest of all is told each time."""
    digests, weights = WeightDigests(), {"a": np.ones(3), "b": np.zeros((2, 2))}
    first, again = digests.fields(weights), digests.fields(weights)
    weights["b"][1, 1] = 1e-30
    changed = digests.fields(weights)
    assert first["digest"] == again["digest"] != changed["digest"]
    assert "digests" not in again
    assert [name for name in weights if first["digests"][name] != changed["digests"][name]] == ["b"]


def test_units_are_summed_up_over_all_but_the_last_axis() -> None:
    """Channels of an image; at most 64 samples are kept as rows."""
    output = RNG.standard_normal((5, 6, 7, 3))
    flat = output.reshape(-1, 3)
    expected = [flat.mean(0), flat.std(0), flat.min(0), flat.max(0)]
    np.testing.assert_allclose(units.summary(output), expected, rtol=1e-5)
    assert units.rows(output).shape == (64, 3)
    np.testing.assert_array_equal(units.rows(output)[[0, -1]], flat[[0, -1]])


def test_dead_and_saturated_are_told_of_the_activations_that_can_be() -> None:
    """A unit is dead if no sample woke it, not if some did not."""
    relu = np.maximum(RNG.standard_normal((50, 4)), 0)
    relu[:, 1] = 0
    assert units.dead(relu, "relu") == pytest.approx(1 / 4)
    assert units.dead(relu, "tanh") is None
    assert units.saturated(np.array([[0.995, -0.5], [-1.0, 0.2]]), "tanh") == pytest.approx(0.5)
    assert units.saturated(np.array([[0.995, 0.5]]), "sigmoid") == pytest.approx(0.5)
    assert units.saturated(relu, "softmax") is None
