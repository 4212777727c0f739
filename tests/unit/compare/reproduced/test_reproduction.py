"""A reproduction fails when a release changes a default, says what to do, and is skipped once the range says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import pytest
from torch import nn

from auditor.compare import catalogue
from support import reproduce
from tests.unit.compare.reproduced import test_forward as forward
from tests.unit.compare.reproduced import test_init as init
from tests.unit.compare.reproduced import test_loss as loss
from tests.unit.compare.reproduced import test_update_rules as update


def with_default(kind: Any, **changed: Any) -> Callable[..., Any]:
    """A class as a release would have it that changed a default."""
    return lambda *args, **given: kind(*args, **{**changed, **given})


#: What a release changes: where, and to what; the test that must notice, and the entry that it speaks of.
RELEASES: dict[str, tuple[Any, str, Any, Callable[[], None]]] = {
    "INIT-01": (nn.Linear, "reset_parameters", lambda self: nn.init.xavier_uniform_(self.weight),
                init.test_init_01_dense_kernels_have_different_bounds),
    "INIT-06": (nn.Embedding, "reset_parameters", lambda self: nn.init.uniform_(self.weight, -0.05, 0.05),
                init.test_init_06_embeddings_differ_by_a_factor_of_thirty),
    "FWD-09": (nn, "LeakyReLU", with_default(nn.LeakyReLU, negative_slope=0.3),
               forward.test_fwd_09_leaky_relu_has_four_slopes),
    "FWD-06": (keras.layers, "LayerNormalization", with_default(keras.layers.LayerNormalization, epsilon=1e-5),
               forward.test_fwd_06_epsilon_of_the_other_normalizations),
    "OPT-04": (keras.optimizers, "AdamW", with_default(keras.optimizers.AdamW, weight_decay=0.01),
               update.test_opt_04_adamw_decays_by_different_defaults_and_one_formula),
    "OPT-15": (keras.optimizers, "Adagrad", with_default(keras.optimizers.Adagrad, initial_accumulator_value=0.0),
               update.test_opt_15_adagrad_begins_with_a_tenth_in_keras),
    "LOSS-10": (nn, "KLDivLoss", with_default(nn.KLDivLoss, reduction="batchmean"),
                loss.test_loss_10_the_mean_of_kl_divergence_divides_by_the_classes),
}  # fmt: skip


@pytest.mark.parametrize("name", RELEASES)
def test_a_changed_default_fails_its_test(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the entry, the versions, and where to end its range."""
    holder, attribute, changed, test = RELEASES[name]
    test()
    monkeypatch.setattr(holder, attribute, changed)
    with pytest.raises(AssertionError, match=rf"{name} .* does not show with .*entries\.json"):
        test()


def test_an_entry_whose_range_has_ended_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference is then the past of a framework."""
    ended = dataclasses.replace(catalogue.entry("FWD-09"), versions={"torch": ">=2.0,<2.1"})
    monkeypatch.setattr(reproduce.catalogue, "entry", lambda _name: ended)
    with pytest.raises(pytest.skip.Exception, match=r"FWD-09 is stated for .*<2\.1"):
        forward.test_fwd_09_leaky_relu_has_four_slopes()
