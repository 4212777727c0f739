"""Layers: equal weights, equal input, and what comes out."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional

from support.reproduce import apart, array, normal, reproduces

L = keras.layers


def t(values: Any) -> torch.Tensor:
    """A tensor of PyTorch."""
    return torch.tensor(np.asarray(values))


def last(images: Any) -> np.ndarray:
    """Images with channels last."""
    return np.moveaxis(array(images), 1, -1).astype("f4")


def built(layer: Any, *shape: int) -> Any:
    """The layer, built for batches of a shape."""
    layer.build((None, *shape))
    return layer


@reproduces("FWD-01")
def test_fwd_01_epsilon_of_batchnorm() -> None:
    """1e-5 against 1e-3: an input of deviation 0.05 comes out with 0.998 or 0.84."""
    x = (0.05 * normal(512, 4)).astype("f4")
    assert array(nn.BatchNorm1d(4)(t(x))).std() == pytest.approx(0.998, abs=2e-3)
    assert array(L.BatchNormalization()(x, training=True)).std() == pytest.approx(0.845, abs=0.02)
    alike = L.BatchNormalization(epsilon=1e-5)(x, training=True)
    assert apart(nn.BatchNorm1d(4)(t(x)), alike) < 1e-5


@reproduces("FWD-02")
def test_fwd_02_momentum_of_batchnorm_is_of_the_old_in_keras() -> None:
    """After one batch of mean 1 the running mean is 0.1 or 0.01."""
    x = np.ones((8, 2), "f4") + normal(8, 2) - normal(8, 2).mean(0)
    torch_norm, keras_norm = nn.BatchNorm1d(2), L.BatchNormalization()
    torch_norm(t(x)), keras_norm(x, training=True)
    assert array(torch_norm.running_mean) == pytest.approx(0.1, rel=1e-4)
    assert array(keras_norm.moving_mean) == pytest.approx(0.01, rel=1e-4)


@reproduces("FWD-03")
def test_fwd_03_running_variance_of_batchnorm_is_unbiased_in_pytorch() -> None:
    """8/7 of the batch's at eight rows, in two and in four dimensions; Keras keeps the biased one."""
    x = normal(8, 3)
    torch_norm, keras_norm = nn.BatchNorm1d(3, momentum=1.0), L.BatchNormalization(momentum=0.0)
    torch_norm(t(x)), keras_norm(x, training=True)
    assert array(torch_norm.running_var) / x.var(0) == pytest.approx(8 / 7, rel=1e-4)
    assert array(keras_norm.moving_variance) / x.var(0) == pytest.approx(1, rel=1e-4)
    images = normal(2, 3, 2, 2)
    four, keras_four = nn.BatchNorm2d(3, momentum=1.0), L.BatchNormalization(momentum=0.0)
    four(t(images)), keras_four(last(images), training=True)
    assert array(four.running_var) / images.var((0, 2, 3)) == pytest.approx(8 / 7, rel=1e-4)
    assert array(keras_four.moving_variance) / images.var((0, 2, 3)) == pytest.approx(1, rel=1e-4)


@reproduces("FWD-04")
def test_fwd_04_batchnorm_of_keras_takes_the_last_axis() -> None:
    """On images with channels first it normalises their columns."""
    x = normal(4, 3, 5, 5)
    norm = L.BatchNormalization(epsilon=1e-5)
    norm(x, training=True)
    assert tuple(norm.gamma.shape) == (5,)
    alike = L.BatchNormalization(axis=1, epsilon=1e-5)(x, training=True)
    assert apart(nn.BatchNorm2d(3)(t(x)), alike) < 1e-5


@reproduces("FWD-05")
def test_fwd_05_a_batch_of_one_raises_in_pytorch_and_is_zero_in_keras() -> None:
    """Each row minus its own mean."""
    with pytest.raises(ValueError, match="more than 1 value"):
        nn.BatchNorm1d(3)(t(normal(1, 3)))
    assert not array(L.BatchNormalization()(normal(1, 3), training=True)).any()


@reproduces("FWD-06")
def test_fwd_06_epsilon_of_the_other_normalizations() -> None:
    """LayerNorm 1e-5 against 1e-3: a third of the output at a deviation of 0.03; RMSNorm at 1e-4 likewise."""
    x = (0.03 * normal(64, 8)).astype("f4")
    told = nn.LayerNorm(8)(t(x))
    assert apart(told, L.LayerNormalization()(x)) > 0.2
    assert apart(told, L.LayerNormalization(epsilon=1e-5)(x)) < 1e-5
    assert (nn.GroupNorm(2, 8).eps, L.GroupNormalization(2).epsilon) == (1e-5, 1e-3)
    assert (nn.RMSNorm(8).eps, L.RMSNormalization().epsilon) == (None, 1e-6)
    faint = (1e-4 * normal(64, 8)).astype("f4")
    assert apart(nn.RMSNorm(8)(t(faint)), L.RMSNormalization()(faint)) > 0.5


@reproduces("FWD-07")
def test_fwd_07_dropout_scales_what_it_keeps_in_all() -> None:
    """A quarter dropped, the rest four thirds; masks never agree."""
    ones = np.ones((200, 200), "f4")
    given = [nn.Dropout(0.25)(t(ones)), L.Dropout(0.25)(ones, training=True), tf.nn.dropout(ones, rate=0.25)]
    for kept in map(array, given):
        assert kept.max() == pytest.approx(4 / 3)
        assert (kept == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert not np.array_equal(array(given[0]), array(given[1]))


@reproduces("FWD-08")
def test_fwd_08_gelu_of_keras_ops_is_the_approximation() -> None:
    """The layer and the string are exact, as PyTorch's; ``keras.ops.gelu`` is not."""
    x = np.linspace(-3, 3, 200, dtype="f4")
    exact = array(nn.GELU()(t(x)))
    for same in (keras.activations.gelu(x), L.Activation("gelu")(x), tf.nn.gelu(x)):
        assert abs(array(same) - exact).max() < 5e-6
    assert 1e-4 < abs(array(keras.ops.gelu(x)) - exact).max() < 1e-3
    assert abs(array(keras.ops.gelu(x)) - array(nn.GELU(approximate="tanh")(t(x)))).max() < 5e-6


@reproduces("FWD-09")
def test_fwd_09_leaky_relu_has_four_slopes() -> None:
    """At -1: -0.01 in PyTorch, -0.3 by Keras's layer, -0.2 by its function, its string and TensorFlow."""
    x = np.array([-1.0], "f4")
    told = [nn.LeakyReLU()(t(x)), L.LeakyReLU()(x), keras.activations.leaky_relu(x),
            L.Activation("leaky_relu")(x), tf.nn.leaky_relu(x)]  # fmt: skip
    assert [float(array(one)[0]) for one in told] == pytest.approx([-0.01, -0.3, -0.2, -0.2, -0.2])


@reproduces("FWD-10")
def test_fwd_10_other_activations_agree() -> None:
    """Nine of them to rounding; the hard sigmoid of Keras 2 would not."""
    x = np.linspace(-5, 5, 400, dtype="f4")
    named = {
        "hard_sigmoid": functional.hardsigmoid, "softplus": functional.softplus, "elu": functional.elu,
        "selu": functional.selu, "silu": functional.silu, "hard_swish": functional.hardswish,
        "mish": functional.mish, "softsign": functional.softsign, "relu6": functional.relu6,
    }  # fmt: skip
    for name, function in named.items():
        assert abs(array(function(t(x))) - array(keras.activations.get(name)(x))).max() < 1e-5, name
    assert abs(np.clip(0.2 * x + 0.5, 0, 1) - array(functional.hardsigmoid(t(x)))).max() > 0.05


@reproduces("FWD-11")
def test_fwd_11_same_padding_at_stride_two_pads_the_end() -> None:
    """PyTorch's padding=1 gives the same shape on a shifted grid; padding by hand at the end agrees."""
    conv = nn.Conv2d(3, 4, 3, stride=2, bias=False)
    x = normal(2, 3, 8, 8)
    layer = built(L.Conv2D(4, 3, strides=2, padding="same", use_bias=False), 8, 8, 3)
    layer.kernel.assign(array(conv.weight).transpose(2, 3, 1, 0))
    kept = np.moveaxis(array(layer(last(x))), -1, 1)
    shifted = functional.conv2d(t(x), conv.weight, stride=2, padding=1)
    assert shifted.shape == kept.shape
    assert apart(kept, shifted) > 0.5
    assert apart(kept, conv(functional.pad(t(x), (0, 1, 0, 1)))) < 1e-5
    with pytest.raises(ValueError, match="same"):
        nn.Conv2d(3, 4, 3, stride=2, padding="same")


@reproduces("FWD-12")
def test_fwd_12_average_pooling_counts_the_border_in_pytorch() -> None:
    """The corner of an image of ones: 4/9 or 1."""
    ones = np.ones((1, 1, 4, 4), "f4")
    kept = array(L.AveragePooling2D(3, strides=1, padding="same")(last(ones)))[0, 0, 0, 0]
    told = [array(nn.AvgPool2d(3, 1, 1, count_include_pad=flag)(t(ones)))[0, 0, 0, 0] for flag in (True, False)]
    assert [*told, kept] == pytest.approx([4 / 9, 1, 1])


@reproduces("FWD-13")
def test_fwd_13_flattening_orders_channels_first_or_last() -> None:
    """One dense kernel needs its rows permuted."""
    x, dense = normal(4, 3, 5, 5), nn.Linear(75, 6, bias=False)
    told, kernel = array(dense(t(x).flatten(1))), array(dense.weight).T
    flat = last(x).reshape(4, 75)
    assert apart(told, array(L.Flatten()(last(x))) @ kernel) > 0.5
    assert apart(told, flat @ kernel.reshape(3, 5, 5, 6).transpose(1, 2, 0, 3).reshape(75, 6)) < 1e-5


def lstms(bias: Any) -> tuple[nn.LSTM, Any]:
    """An LSTM of both frameworks with the same weights."""
    cell = nn.LSTM(3, 4, batch_first=True)
    with torch.no_grad():
        cell.bias_hh_l0.zero_()
        cell.bias_ih_l0.copy_(t(bias))
    layer = built(L.LSTM(4, return_sequences=True), 5, 3)
    layer.set_weights([array(cell.weight_ih_l0).T, array(cell.weight_hh_l0).T, bias])
    return cell, layer


@reproduces("FWD-14")
def test_fwd_14_lstms_agree_after_a_transposition() -> None:
    """The two biases of PyTorch both move: under SGD their sum moves twice as far."""
    cell, layer = lstms(normal(16))
    x = normal(2, 5, 3)
    told = cell(t(x))[0]
    assert apart(told, layer(x)) < 1e-5
    told.square().sum().backward()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x)))
    gradient = array(tape.gradient(loss, layer.trainable_variables[2]))
    assert array(cell.bias_ih_l0.grad + cell.bias_hh_l0.grad) == pytest.approx(2 * gradient, rel=1e-3, abs=1e-5)


@reproduces("FWD-15")
def test_fwd_15_grus_have_two_gates_swapped() -> None:
    """r, z, n against z, r, h: a plain transposition is wrong."""
    cell = nn.GRU(3, 4, batch_first=True)
    layer = built(L.GRU(4, return_sequences=True), 5, 3)
    x = normal(2, 5, 3)
    distances = []
    for order in ([0, 1, 2], [1, 0, 2]):
        blocks = [array(one).reshape(3, 4, -1)[order].reshape(12, -1) for one in cell.parameters()]
        layer.set_weights([blocks[0].T, blocks[1].T, np.stack([blocks[2][:, 0], blocks[3][:, 0]])])
        distances.append(apart(cell(t(x))[0], layer(x)))
    assert distances[0] > 0.05
    assert distances[1] < 1e-5


@reproduces("FWD-16")
def test_fwd_16_recurrent_layers_of_pytorch_take_time_first() -> None:
    """A change in place 3 of the second axis changes that place alone: it is the batch."""
    cell = nn.LSTM(3, 4)
    x = normal(5, 5, 3)
    other = x.copy()
    other[:, 3] += 1
    moved = abs(array(cell(t(x))[0]) - array(cell(t(other))[0])).sum((0, 2))
    assert (moved > 0).tolist() == [False, False, False, True, False]
    layer = built(L.LSTM(4, return_sequences=True), 5, 3)
    moved = abs(array(layer(x)) - array(layer(other))).sum((0, 2))
    assert (moved > 0).tolist() == [False, False, False, True, True]


@reproduces("FWD-17")
def test_fwd_17_kernels_agree_after_a_transposition() -> None:
    """Dense, convolution, depthwise with two filters a channel, transposed convolution."""
    x, rows = normal(2, 3, 6, 6), normal(2, 3)
    dense, conv = nn.Linear(3, 4, bias=False), nn.Conv2d(3, 4, 3, bias=False)
    deep = nn.Conv2d(3, 6, 3, groups=3, bias=False)
    back = nn.ConvTranspose2d(3, 4, 3, bias=False)
    cases = [
        (dense, L.Dense(4, use_bias=False), array(dense.weight).T, rows, rows),
        (conv, L.Conv2D(4, 3, use_bias=False), array(conv.weight).transpose(2, 3, 1, 0), x, last(x)),
        (deep, L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
         array(deep.weight).reshape(3, 2, 3, 3).transpose(2, 3, 0, 1), x, last(x)),
        (back, L.Conv2DTranspose(4, 3, use_bias=False), array(back.weight).transpose(2, 3, 1, 0), x, last(x)),
    ]  # fmt: skip
    for module, layer, kernel, ours, theirs in cases:
        layer.build(theirs.shape)
        layer.set_weights([kernel])
        kept = array(layer(theirs))
        assert apart(module(t(ours)), np.moveaxis(kept, -1, 1)) < 1e-5, layer.name


@reproduces("FWD-18")
def test_fwd_18_transposed_convolutions_with_same_padding_are_shifted() -> None:
    """PyTorch's usual padding=1, output_padding=1 has the same shape; cutting the full output at its end agrees."""
    x, whole = normal(1, 3, 5, 5), nn.ConvTranspose2d(3, 3, 3, stride=2, bias=False)
    layer = built(L.Conv2DTranspose(3, 3, strides=2, padding="same", use_bias=False), 5, 5, 3)
    layer.set_weights([array(whole.weight).transpose(2, 3, 1, 0)])
    kept = np.moveaxis(array(layer(last(x))), -1, 1)
    usual = functional.conv_transpose2d(t(x), whole.weight, stride=2, padding=1, output_padding=1)
    assert usual.shape == kept.shape
    assert apart(kept, usual) > 0.5
    assert apart(kept, whole(t(x))[:, :, :10, :10]) < 1e-5


@reproduces("FWD-19")
def test_fwd_19_resizing_agrees_but_for_nearest_downwards_and_aligned_corners() -> None:
    """Bilinear and nearest twofold agree; seven to three by nearest takes other pixels."""
    x = normal(1, 2, 7, 7)
    kept = array(L.UpSampling2D(2, interpolation="bilinear")(last(x)))
    assert apart(np.moveaxis(kept, -1, 1), functional.interpolate(t(x), scale_factor=2, mode="bilinear")) < 1e-5
    aligned = functional.interpolate(t(x), scale_factor=2, mode="bilinear", align_corners=True)
    assert apart(np.moveaxis(kept, -1, 1), aligned) > 0.05
    small = np.moveaxis(array(tf.image.resize(last(x), (3, 3), "nearest")), -1, 1)
    assert apart(small, functional.interpolate(t(x), (3, 3), mode="nearest")) > 0.1
    assert apart(small, functional.interpolate(t(x), (3, 3), mode="nearest-exact")) == 0


@reproduces("FWD-20")
def test_fwd_20_attention_agrees_after_a_reshape() -> None:
    """Packed (3E, E) against (E, heads, depth)."""
    module, layer = nn.MultiheadAttention(8, 2, batch_first=True), L.MultiHeadAttention(2, 4)
    x = normal(2, 5, 8)
    layer.build(x.shape, x.shape)
    packed = array(module.in_proj_weight).reshape(3, 8, 8)
    kernels = [one.T.reshape(8, 2, 4) for one in packed]
    order = [kernels[0], kernels[1], kernels[2]]
    weights = [part for kernel in order for part in (kernel, np.zeros((2, 4)))]
    layer.set_weights([*weights, array(module.out_proj.weight).T.reshape(2, 4, 8), np.zeros(8)])
    with torch.no_grad():
        told = module(t(x), t(x), t(x), need_weights=False)[0]
    assert apart(told, layer(x, x)) < 1e-5


@reproduces("FWD-21")
def test_fwd_21_padding_rows_are_frozen_at_zero_in_pytorch_alone() -> None:
    """Keras's mask leaves row 0 a random row with a gradient."""
    table = nn.Embedding(4, 3, padding_idx=0)
    table(t([0, 1])).sum().backward()
    assert not array(table.weight)[0].any()
    assert not array(table.weight.grad)[0].any()
    layer = built(L.Embedding(4, 3, mask_zero=True), 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant([0, 1])))
    gradient = array(tf.convert_to_tensor(tape.gradient(loss, layer.trainable_variables[0])))
    assert array(layer.trainable_variables[0])[0].any()
    assert gradient[0].tolist() == [1, 1, 1]


@reproduces("FWD-22")
def test_fwd_22_softmax_without_an_axis_takes_the_first_of_three() -> None:
    """With a warning; Keras takes the last."""
    x = normal(2, 3, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        told = array(nn.Softmax()(t(x)))
    assert told.sum(0) == pytest.approx(1, abs=1e-5)
    assert array(L.Softmax()(x)).sum(-1) == pytest.approx(1, abs=1e-5)


@reproduces("FWD-23")
def test_fwd_23_products_of_matrices_differ_by_rounding() -> None:
    """Within 2e-6 of float64 in PyTorch, TensorFlow and numpy, and not bit for bit equal at every size."""
    equal = []
    for size in (64, 256, 1024):
        a, b = normal(64, size), normal(size, 64, seed=1)
        exact = a.astype("f8") @ b.astype("f8")
        # On some processors two of the three take their sums in one order.
        found = [array(t(a) @ t(b)), array(tf.matmul(a, b)), array(a @ b)]
        assert all(2.0**-26 < apart(exact, one) < 2e-6 for one in found)
        equal.append(all(np.array_equal(found[0], one) for one in found[1:]))
    assert not all(equal)
