"""Initial weights: what each framework draws when nobody says how."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import tensorflow as tf
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from support.reproduce import apart, array, is_uniform, normal, reproduces

L = keras.layers


def built(layer: keras.layers.Layer, *shape: int) -> list[np.ndarray]:
    """The weights of a layer built for batches of a shape."""
    layer.build((None, *shape))
    return [array(weight) for weight in layer.weights]


def unmoved(kind: type, inputs: int, hidden: int, **options: object) -> MLPRegressor:
    """An MLP of scikit-learn after a step too small to move it."""
    x = normal(8, inputs)
    mlp = kind(hidden_layer_sizes=(hidden,), solver="sgd", learning_rate_init=1e-30, random_state=0, **options)
    return mlp.partial_fit(x, np.arange(8) % 2, **({"classes": [0, 1]} if kind is MLPClassifier else {}))


@reproduces("INIT-01")
def test_init_01_dense_kernels_have_different_bounds() -> None:
    """1/sqrt(fan in) in PyTorch; Glorot in Keras and scikit-learn, narrower there for logistic units."""
    assert is_uniform(nn.Linear(400, 300).weight, 400**-0.5)
    assert is_uniform(built(L.Dense(300), 400)[0], (6 / 700) ** 0.5)
    assert is_uniform(unmoved(MLPRegressor, 400, 300).coefs_[0], (6 / 700) ** 0.5)
    assert is_uniform(unmoved(MLPClassifier, 400, 300, activation="logistic").coefs_[0], (2 / 700) ** 0.5)


@reproduces("INIT-02")
def test_init_02_biases_are_zero_in_keras_alone() -> None:
    """PyTorch and scikit-learn draw them from the kernel's own distribution."""
    assert is_uniform(nn.Linear(100, 2000).bias, 0.1)
    assert not built(L.Dense(2000), 100)[1].any()
    assert is_uniform(unmoved(MLPRegressor, 100, 2000).intercepts_[0], (6 / 2100) ** 0.5)


@reproduces("INIT-03")
def test_init_03_convolutions_have_different_bounds() -> None:
    """Fan in alone against Glorot; PyTorch's bias is drawn, Keras's is zero."""
    conv = nn.Conv2d(16, 2000, 3)
    assert is_uniform(conv.weight, 144**-0.5)
    assert is_uniform(conv.bias, 144**-0.5)
    kernel, bias = built(L.Conv2D(64, 3), 8, 8, 16)
    assert is_uniform(kernel, (6 / (9 * 80)) ** 0.5)
    assert not bias.any()


@reproduces("INIT-04")
def test_init_04_keras_counts_all_channels_of_a_depthwise_kernel() -> None:
    """PyTorch counts the one channel that a kernel sees: with 256 channels 6.6 or more times the scale."""
    torch_kernel = nn.Conv2d(256, 256, 3, groups=256).weight
    keras_kernel = built(L.DepthwiseConv2D(3), 8, 8, 256)[0]
    assert is_uniform(torch_kernel, 1 / 3)
    assert is_uniform(keras_kernel, (6 / (9 * 257)) ** 0.5)
    assert array(torch_kernel).std() / keras_kernel.std() > 6


@reproduces("INIT-05")
def test_init_05_pytorch_takes_the_output_channels_of_a_transposed_kernel() -> None:
    """Its kernel is (in, out, h, w), and the fan is read off the second dimension."""
    assert is_uniform(nn.ConvTranspose2d(64, 16, 3).weight, (16 * 9) ** -0.5)
    assert is_uniform(built(L.Conv2DTranspose(16, 3), 8, 8, 64)[0], (6 / (9 * 80)) ** 0.5)


@reproduces("INIT-06")
def test_init_06_embeddings_differ_by_a_factor_of_thirty() -> None:
    """A standard normal against a uniform within 0.05."""
    torch_table, keras_table = array(nn.Embedding(1000, 64).weight), built(L.Embedding(1000, 64))[0]
    assert abs(torch_table.std() - 1) < 0.02
    assert is_uniform(keras_table, 0.05)
    assert 33 < torch_table.std() / keras_table.std() < 36


@reproduces("INIT-07")
def test_init_07_lstm_kernels_are_orthogonal_in_keras() -> None:
    """In PyTorch all weights of the cell are uniform within 1/sqrt(hidden)."""
    lstm = nn.LSTM(40, 64)
    assert is_uniform(lstm.weight_ih_l0, 1 / 8)
    assert is_uniform(lstm.weight_hh_l0, 1 / 8)
    kernel, recurrent, _ = built(L.LSTM(64), 5, 40)
    assert is_uniform(kernel, (6 / (40 + 256)) ** 0.5)
    assert abs(recurrent @ recurrent.T - np.eye(64)).max() < 1e-5


@reproduces("INIT-08")
def test_init_08_keras_opens_the_forget_gate() -> None:
    """One bias, zero but for ones at the forget gate; PyTorch draws two that add up to nothing special."""
    bias = built(L.LSTM(64), 5, 40)[2].reshape(4, 64)
    assert bias.min(1).tolist() == bias.max(1).tolist() == [0, 1, 0, 0]
    lstm = nn.LSTM(40, 640)
    assert is_uniform(lstm.bias_ih_l0, 640**-0.5)
    assert is_uniform(lstm.bias_hh_l0, 640**-0.5)


@reproduces("INIT-09")
def test_init_09_gru_kernels_are_orthogonal_in_keras() -> None:
    """And its two rows of biases are zero."""
    gru = nn.GRU(40, 64)
    assert is_uniform(gru.weight_hh_l0, 1 / 8)
    assert array(gru.bias_ih_l0).any()
    _, recurrent, bias = built(L.GRU(64), 5, 40)
    assert abs(recurrent @ recurrent.T - np.eye(64)).max() < 1e-5
    assert bias.shape == (2, 192)
    assert not bias.any()


@reproduces("INIT-10")
def test_init_10_normalization_layers_begin_alike() -> None:
    """Scale 1, shift 0, mean 0, variance 1 on both sides; PyTorch counts batches as well."""
    norm = nn.BatchNorm1d(3)
    told = [norm.weight, norm.bias, norm.running_mean, norm.running_var]
    assert [float(array(one).mean()) for one in told] == [1, 0, 0, 1]
    assert [float(one.mean()) for one in built(L.BatchNormalization(), 3)] == [1, 0, 0, 1]
    assert [float(one.mean()) for one in built(L.LayerNormalization(), 3)] == [1, 0]
    assert int(norm.num_batches_tracked) == 0


@reproduces("INIT-11")
def test_init_11_attention_projections_differ_by_root_two() -> None:
    """PyTorch packs query, key and value into one matrix and takes the fan of the pack."""
    attention = nn.MultiheadAttention(64, 4)
    assert is_uniform(attention.in_proj_weight, (6 / 256) ** 0.5)
    assert is_uniform(attention.out_proj.weight, 1 / 8)
    layer = L.MultiHeadAttention(4, 16)
    layer.build((None, 5, 64), (None, 5, 64))
    assert tuple(layer.weights[0].shape) == (64, 4, 16)
    assert is_uniform(layer.weights[0], (6 / 128) ** 0.5)


@reproduces("INIT-12")
def test_init_12_prelu_begins_at_a_quarter_or_at_zero() -> None:
    """And is one number in PyTorch, one per element in Keras."""
    assert array(nn.PReLU().weight).tolist() == [0.25]
    assert built(L.PReLU(), 7)[0].tolist() == [0.0] * 7


@reproduces("INIT-13")
def test_init_13_normal_initializers_of_keras_are_cut_off() -> None:
    """The same standard deviation, but nothing beyond 2.27 of them."""
    torch_kernel = array(nn.init.kaiming_normal_(torch.empty(300, 400)))
    keras_kernel = array(keras.initializers.HeNormal(seed=0)((400, 300)))
    for kernel in (torch_kernel, keras_kernel):
        assert abs(kernel.std() / (2 / 400) ** 0.5 - 1) < 0.01
    assert abs(torch_kernel).max() / torch_kernel.std() > 4
    assert 2.2 < abs(keras_kernel).max() / keras_kernel.std() < 2.3


@reproduces("INIT-14")
def test_init_14_random_normal_means_1_or_a_twentieth() -> None:
    """The default of what is called "normal"."""
    assert abs(array(nn.init.normal_(torch.empty(200, 200))).std() - 1) < 0.02
    assert abs(array(keras.initializers.RandomNormal(seed=0)((200, 200))).std() - 0.05) < 0.001
    assert is_uniform(keras.initializers.RandomUniform(seed=0)((200, 200)), 0.05)
    assert abs(array(tf.random.normal((200, 200))).std() - 1) < 0.02
    assert inspect.signature(tf.random_normal_initializer).parameters["stddev"].default == 0.05


@reproduces("INIT-15")
def test_init_15_equal_seeds_draw_different_weights() -> None:
    """One seed, one distribution, three frameworks: three different kernels."""
    keras.utils.set_random_seed(0)
    ours = built(L.Dense(20), 30)[0]
    torch.manual_seed(0)
    theirs = array(nn.init.xavier_uniform_(torch.empty(20, 30))).T
    third = unmoved(MLPRegressor, 30, 20).coefs_[0]
    for a, b in ((ours, theirs), (ours, third), (theirs, third)):
        assert apart(a, b) > 1
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.2


@reproduces("INIT-16")
def test_init_16_layers_that_share_an_initializer_are_clones() -> None:
    """With and without a seed; layers that name it by a string are not."""
    for shared in (keras.initializers.GlorotUniform(seed=0), keras.initializers.GlorotUniform()):
        one, two = (built(L.Dense(5, kernel_initializer=shared), 4)[0] for _ in range(2))
        assert np.array_equal(one, two)
    one, two = (built(L.Dense(5, kernel_initializer="glorot_uniform"), 4)[0] for _ in range(2))
    assert not np.array_equal(one, two)
