"""Update rules: one gradient, one start, and where each framework's step ends."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import torch
from keras import optimizers as theirs
from sklearn.neural_network import MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer
from torch import optim as ours

from support.reproduce import GRADIENTS, START, array, farthest, keras_walk, reproduces, sklearn_walk, torch_walk

LR = 2.0**-8
#: A learning rate that falls to a sixteenth in the middle of a walk.
FALLING = [LR] * 6 + [LR / 16] * 6


def first_step(walk: np.ndarray, rate: float) -> float:
    """The first step from zero, in units of the learning rate."""
    return abs(float(walk[0, 0])) / rate


@reproduces("OPT-01")
def test_opt_01_default_learning_rates() -> None:
    """Of eight rules; those of SGD, RMSprop, Adagrad, Adadelta, Adamax and NAdam differ."""
    weight = [torch.nn.Parameter(torch.zeros(1))]
    named = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam")
    told = [getattr(ours, name)(weight).defaults["lr"] for name in named]
    assert told == [1e-3, 1e-3, 1e-3, 1e-2, 1e-2, 1.0, 2e-3, 2e-3]
    kept = [float(getattr(theirs, "Nadam" if name == "NAdam" else name)().learning_rate) for name in named]
    assert kept == pytest.approx([1e-2] + [1e-3] * 7)
    assert MLPRegressor().learning_rate_init == 1e-3


@reproduces("OPT-02")
def test_opt_02_other_defaults() -> None:
    """Epsilon in Adam, smoothing in RMSprop and Adadelta, the accumulator of Adagrad, momentum in scikit-learn."""
    weight = [torch.nn.Parameter(torch.zeros(1))]
    defaults = {name: getattr(ours, name)(weight).defaults for name in ("Adam", "RMSprop", "Adagrad", "Adadelta")}
    assert [one["eps"] for one in defaults.values()] == [1e-8, 1e-8, 1e-10, 1e-6]
    assert {getattr(theirs, name)().epsilon for name in defaults} == {1e-7}
    assert (defaults["RMSprop"]["alpha"], theirs.RMSprop().rho) == (0.99, 0.9)
    assert (defaults["Adadelta"]["rho"], theirs.Adadelta().rho) == (0.9, 0.95)
    assert (defaults["Adagrad"]["initial_accumulator_value"], theirs.Adagrad().initial_accumulator_value) == (0, 0.1)
    momenta = (ours.SGD(weight).defaults["momentum"], theirs.SGD().momentum, MLPRegressor().momentum)
    assert momenta == (0, 0, 0.9)
    assert MLPRegressor().nesterovs_momentum
    assert (MLPRegressor().epsilon, tf.compat.v1.train.AdamOptimizer()._epsilon) == (1e-8, 1e-8)


@reproduces("OPT-03")
def test_opt_03_epsilon_enters_adam_before_or_after_the_correction() -> None:
    """A gradient of 1e-7 moves the weight by 0.91, 0.031 and 0.24 learning rates with everybody's defaults."""
    tiny = [[1e-7]]
    assert first_step(torch_walk(lambda p: ours.Adam(p, LR), tiny, 0.0), LR) == pytest.approx(0.909, abs=2e-3)
    assert first_step(keras_walk(theirs.Adam(LR), tiny, 0.0), LR) == pytest.approx(0.0307, abs=2e-4)
    mine = sklearn_walk(lambda p: AdamOptimizer(p, LR), tiny, 0.0)
    assert first_step(mine, LR) == pytest.approx(0.2403, abs=1e-3)
    walks = [torch_walk(lambda p: ours.Adam(p, LR, eps=0.05)), keras_walk(theirs.Adam(LR, epsilon=0.05))]
    assert farthest(*walks, LR) > 0.5
    placed = sklearn_walk(lambda p: AdamOptimizer(p, LR, epsilon=0.05))
    assert farthest(placed, walks[1], LR) < 1e-4


@reproduces("OPT-04")
def test_opt_04_adamw_decays_by_different_defaults_and_one_formula() -> None:
    """0.01 against 0.004; with equal decay and no epsilon the walks agree."""
    assert ours.AdamW([torch.nn.Parameter(torch.zeros(1))]).defaults["weight_decay"] == 0.01
    assert theirs.AdamW().weight_decay == 0.004
    a = torch_walk(lambda p: ours.AdamW(p, LR, weight_decay=0.1, eps=1e-30))
    b = keras_walk(theirs.AdamW(LR, weight_decay=0.1, epsilon=1e-30))
    assert farthest(a, b, LR) < 1e-3
    apart = keras_walk(theirs.AdamW(LR, weight_decay=0.04, epsilon=1e-30))
    assert farthest(a, apart, LR) > 0.5


@reproduces("OPT-05")
def test_opt_05_weight_decay_of_adam_is_coupled_in_pytorch_alone() -> None:
    """Keras's Adam with decay is AdamW; without a gradient PyTorch's moves a whole learning rate."""
    keras_adam = keras_walk(theirs.Adam(LR, weight_decay=0.1, epsilon=1e-30))
    assert farthest(keras_adam, torch_walk(lambda p: ours.AdamW(p, LR, weight_decay=0.1, eps=1e-30)), LR) < 1e-3
    assert farthest(keras_adam, torch_walk(lambda p: ours.Adam(p, LR, weight_decay=0.1, eps=1e-30)), LR) > 0.1
    still = torch_walk(lambda p: ours.Adam(p, LR, weight_decay=0.1), [np.zeros(50)])
    assert farthest(START - LR * np.sign(START), still, LR) < 1e-3


@reproduces("OPT-06")
def test_opt_06_weight_decay_of_sgd_passes_through_the_momentum_in_pytorch_alone() -> None:
    """No difference without momentum."""
    for momentum, low, high in ((0.0, 0.0, 1e-5), (0.9, 1.0, np.inf)):
        a = torch_walk(lambda p, m=momentum: ours.SGD(p, LR, momentum=m, weight_decay=0.1))
        b = keras_walk(theirs.SGD(LR, momentum=momentum, weight_decay=0.1))
        assert low <= farthest(a, b, LR) <= high


@reproduces("OPT-10")
def test_opt_10_the_momentum_buffer_holds_steps_in_keras_and_gradients_in_pytorch() -> None:
    """Nothing shows until the learning rate changes."""
    a = torch_walk(lambda p: ours.SGD(p, LR, momentum=0.9), rates=FALLING)
    b = keras_walk(theirs.SGD(LR, momentum=0.9), rates=FALLING)
    assert farthest(a[:6], b[:6], LR) < 1e-5
    assert farthest(a[6], b[6], LR) > 0.5
    assert farthest(sklearn_walk(lambda p: SGDOptimizer(p, LR, momentum=0.9, nesterov=False))[:6], b[:6], LR) < 1e-5


@reproduces("OPT-11")
def test_opt_11_nesterov_is_one_formula_and_scikit_learns_default() -> None:
    """Equal in all three at a constant rate, and not the classical momentum."""
    a = torch_walk(lambda p: ours.SGD(p, LR, momentum=0.9, nesterov=True))
    assert farthest(a, keras_walk(theirs.SGD(LR, momentum=0.9, nesterov=True)), LR) < 1e-5
    assert farthest(a, sklearn_walk(lambda p: SGDOptimizer(p, LR)), LR) < 1e-5
    assert farthest(a, torch_walk(lambda p: ours.SGD(p, LR, momentum=0.9)), LR) > 1
    assert (ours.SGD([torch.nn.Parameter(torch.zeros(1))]).defaults["nesterov"], theirs.SGD().nesterov) == (
        False,
        False,
    )


@reproduces("OPT-12")
def test_opt_12_dampening_spares_the_first_step() -> None:
    """Unit gradients at momentum 0.9 and dampening 0.9: steps of 1, not of 0.1 and growing."""
    walk = torch_walk(lambda p: ours.SGD(p, 1.0, momentum=0.9, dampening=0.9), np.ones((3, 1)), 0.0)
    assert walk[:, 0] == pytest.approx([-1, -2, -3])
    assert not hasattr(theirs.SGD(), "dampening")


@reproduces("OPT-13")
def test_opt_13_epsilon_of_rmsprop_is_under_the_root_in_keras() -> None:
    """A gradient of 1e-4 moves the weight by 3.2 or 0.32 learning rates."""
    tiny = [[1e-4]]
    a = torch_walk(lambda p: ours.RMSprop(p, LR, alpha=0.9), tiny, 0.0)
    assert first_step(a, LR) == pytest.approx(3.161, abs=1e-2)
    assert first_step(keras_walk(theirs.RMSprop(LR), tiny, 0.0), LR) == pytest.approx(0.315, abs=1e-2)
    vanishing = torch_walk(lambda p: ours.RMSprop(p, LR, alpha=0.9, eps=1e-30))
    assert farthest(vanishing, keras_walk(theirs.RMSprop(LR, epsilon=1e-30)), LR) < 1e-4


@reproduces("OPT-14")
def test_opt_14_the_buffer_of_rmsprop_holds_steps_in_keras() -> None:
    """As that of SGD: nothing shows until the learning rate changes."""
    a = torch_walk(lambda p: ours.RMSprop(p, LR, alpha=0.9, eps=1e-30, momentum=0.9), rates=FALLING)
    b = keras_walk(theirs.RMSprop(LR, rho=0.9, epsilon=1e-30, momentum=0.9), rates=FALLING)
    assert farthest(a[:6], b[:6], LR) < 1e-3
    assert farthest(a[6], b[6], LR) > 0.5


@reproduces("OPT-15")
def test_opt_15_adagrad_begins_with_a_tenth_in_keras() -> None:
    """A first gradient of 0.01 moves the weight by a whole learning rate or by a thirtieth of it."""
    tiny = [[0.01]]
    assert first_step(torch_walk(lambda p: ours.Adagrad(p, LR), tiny, 0.0), LR) == pytest.approx(1, abs=1e-3)
    assert first_step(keras_walk(theirs.Adagrad(LR), tiny, 0.0), LR) == pytest.approx(0.0316, abs=1e-3)
    aligned = torch_walk(lambda p: ours.Adagrad(p, LR, initial_accumulator_value=0.1))
    assert farthest(aligned, keras_walk(theirs.Adagrad(LR)), LR) < 1e-5


@reproduces("OPT-16")
def test_opt_16_adadelta_is_one_formula_with_other_defaults() -> None:
    """Walks of the defaults differ more than a thousandfold in length; with equal settings they agree."""
    a, b = torch_walk(ours.Adadelta), keras_walk(theirs.Adadelta())
    assert np.linalg.norm(a[-1] - START) > 1000 * np.linalg.norm(b[-1] - START)
    assert farthest(a, keras_walk(theirs.Adadelta(1.0, rho=0.9, epsilon=1e-6)), 1.0) < 1e-6


@reproduces("OPT-17")
def test_opt_17_epsilon_of_adamax_enters_the_maximum_in_pytorch() -> None:
    """Shown with a large one; gone with a vanishing one."""
    for epsilon, low, high in ((0.5, 1e-3, np.inf), (1e-30, 0, 1e-5)):
        a = torch_walk(lambda p, e=epsilon: ours.Adamax(p, LR, eps=e))
        assert low <= farthest(a, keras_walk(theirs.Adamax(LR, epsilon=epsilon)), LR) <= high


@reproduces("OPT-18")
def test_opt_18_nadams_momentum_decays_250_times_as_fast_in_keras() -> None:
    """Its constant is fixed to 1 there; PyTorch's default is 0.004."""
    b = keras_walk(theirs.Nadam(LR, epsilon=1e-30))
    assert farthest(torch_walk(lambda p: ours.NAdam(p, LR, eps=1e-30)), b, LR) > 0.1
    assert farthest(torch_walk(lambda p: ours.NAdam(p, LR, eps=1e-30, momentum_decay=1.0)), b, LR) < 1e-3


@reproduces("OPT-22")
def test_opt_22_amsgrad_is_one_formula() -> None:
    """PyTorch's and Keras's agree but for epsilon's place, and are not plain Adam."""
    falling = GRADIENTS * np.linspace(1, 0.01, 12)[:, None]
    a = torch_walk(lambda p: ours.Adam(p, LR, betas=(0.9, 0.8), amsgrad=True, eps=1e-30), falling)
    assert farthest(a, keras_walk(theirs.Adam(LR, beta_2=0.8, amsgrad=True, epsilon=1e-30), falling), LR) < 1e-3
    assert farthest(a, torch_walk(lambda p: ours.Adam(p, LR, betas=(0.9, 0.8), eps=1e-30), falling), LR) > 0.01


@reproduces("OPT-24")
def test_opt_24_keras_rounds_the_learning_rate_to_float32() -> None:
    """One step of SGD in float64: a relative 4.75e-8 too long at 1e-3."""
    walk = keras_walk(theirs.SGD(1e-3), [[1.0]], 0.0)
    assert abs(walk[0, 0]) / 1e-3 - 1 == pytest.approx(4.75e-8, rel=1e-2)
    assert abs(torch_walk(lambda p: ours.SGD(p, 1e-3), [[1.0]], 0.0)[0, 0]) == 1e-3


@reproduces("OPT-25")
def test_opt_25_constraints_act_within_apply() -> None:
    """A tape loop has them too; without any gradient the weight is cut to its norm."""
    import keras

    layer = keras.layers.Dense(1, use_bias=False, kernel_constraint=keras.constraints.MaxNorm(1))
    layer.build((None, 4))
    layer.kernel.assign(np.ones((4, 1)))
    theirs.SGD(0.1).apply_gradients([(tf.zeros((4, 1)), layer.kernel)])
    assert np.linalg.norm(array(layer.kernel)) == pytest.approx(1, abs=1e-5)


@reproduces("OPT-28")
def test_opt_28_keras_corrects_adams_bias_in_float32() -> None:
    """The first step is 6.7e-6 too short: the floor of every comparison with Keras's Adam."""
    unit = np.ones((100, 1))
    a = np.diff(torch_walk(lambda p: ours.Adam(p, LR, eps=1e-30), unit, 0.0)[:, 0], prepend=0)
    b = np.diff(keras_walk(theirs.Adam(LR, epsilon=1e-30), unit, 0.0)[:, 0], prepend=0)
    off = b / a - 1
    assert -8e-6 < off[0] < -5e-6
    assert -8e-6 < off[99] < -4e-6
