"""One training in PyTorch and in Keras, aligned to rounding, and with any one thing different.

``torch_program(family, **options)`` and ``keras_program(family, **options)`` give ``make`` functions for
``auditor_agent.parity``. With the same options both compute the same; the defaults of the frameworks do
not count: everything that they set differently is an option.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch
from torch import nn

L = keras.layers
OPTIONS: dict[str, Any] = {
    "activation": "tanh", "rule": "adam", "lr": 1e-3, "eps": 1e-30, "beta_2": 0.999, "decay": 0.0, "coupled": False,
    "momentum": 0.0, "nesterov": False, "dampening": 0.0, "amsgrad": False, "centered": False, "rho": 0.9,
    "loss": "mse", "smoothing": 0.0, "l2": 0.0, "clip": None, "schedule": False, "accumulate": 1, "average": True,
    "norm": None, "norm_eps": 1e-5, "norm_memory": 0.1, "dropout": 0.0, "bias": True, "forget": None,
    "training": True, "bf16": False, "padding": "same", "stride": 1, "pool": "max", "softmax_axis": None,
    "slope": 0.1, "rows": 16, "swap": False, "noise": 0.0, "second_bias": False, "heads": 2, "ragged": False,
    "reset_after": True, "sparse": False, "accumulator": 0.1,
}  # fmt: skip
Make = Callable[[], dict[str, Any]]


def options(given: dict[str, Any]) -> dict[str, Any]:
    """All options; an unknown one is an error."""
    unknown = set(given) - set(OPTIONS)
    if unknown:
        raise KeyError(f"no such option: {unknown}")
    return {**OPTIONS, **given}


def batches(family: str, o: dict[str, Any], *, first: bool) -> Callable[[], Iterator[tuple[Any, Any]]]:
    """Batches of a family. ``first``: images with channels first."""

    def make() -> Iterator[tuple[Any, Any]]:
        rng = np.random.default_rng(7)
        made = [_batch(family, rng, o["rows"] // 2 + 1 if o["ragged"] and at == 3 else o["rows"]) for at in range(40)]
        if o["swap"]:
            made[1], made[2] = made[2], made[1]
        for image, y in made:
            x = np.moveaxis(image, 1, -1) if family == "cnn" and not first else image
            yield (x + o["noise"] if o["noise"] else x), y

    return make


def _batch(family: str, rng: np.random.Generator, rows: int) -> tuple[Any, Any]:
    if family == "mlp":
        x = rng.normal(size=(rows, 10)).astype("f4")
        return x, np.sin(2 * x[:, :1]).astype("f4") + x[:, 1:2]
    if family == "cnn":
        x = rng.normal(size=(rows, 3, 8, 8)).astype("f4")
        return x, (x[:, 0, :3].mean((1, 2)) > 0).astype("i8")
    if family == "lstm":
        x = rng.normal(size=(rows, 6, 5)).astype("f4")
        return x, x.sum((1, 2), keepdims=False)[:, None].astype("f4")
    tokens = rng.integers(0, 20, (rows, 6))
    return tokens, (tokens[:, 0] % 3).astype("i8")


# ---------------------------------------------------------------------------------------- PyTorch


class Attentive(nn.Module):
    """A small Transformer block over tokens."""

    def __init__(self, o: dict[str, Any]) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.attend = nn.MultiheadAttention(16, o["heads"], batch_first=True)
        self.first, self.second = nn.LayerNorm(16, eps=o["norm_eps"]), nn.LayerNorm(16, eps=o["norm_eps"])
        self.up, self.down, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 3)
        self.act, self.drop = torch_activation(o), nn.Dropout(o["dropout"])

    def forward(self, tokens: Any) -> Any:
        """Class scores of each row."""
        x = self.embed(tokens)
        x = self.first(x + self.attend(x, x, x, need_weights=False)[0])
        x = self.second(x + self.drop(self.down(self.act(self.up(x)))))
        return self.head(x.mean(1))


class Last(nn.Module):
    """A recurrent layer whose last output is regressed."""

    def __init__(self, o: dict[str, Any], *, gru: bool = False) -> None:
        super().__init__()
        self.rnn = (nn.GRU if gru else nn.LSTM)(5, 12, batch_first=True)
        self.head = nn.Linear(12, 1)
        if not o["second_bias"] and not gru:
            nn.init.zeros_(self.rnn.bias_hh_l0)
            self.rnn.bias_hh_l0.requires_grad_(requires_grad=False)

    def forward(self, x: Any) -> Any:
        """One number per row."""
        return self.head(self.rnn(x)[0][:, -1])


def torch_activation(o: dict[str, Any]) -> nn.Module:
    """The activation by name."""
    return {
        "tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"),
        "leaky": lambda: nn.LeakyReLU(o["slope"]), "elu": nn.ELU, "silu": nn.SiLU,
        "softmax": lambda: nn.Softmax(1),
    }[o["activation"]]()  # fmt: skip


def _torch_model(family: str, o: dict[str, Any]) -> nn.Module:
    if family in {"lstm", "gru"}:
        return Last(o, gru=family == "gru")
    if family == "transformer":
        return Attentive(o)
    norm = {
        None: nn.Identity, "batch": lambda: nn.BatchNorm1d(32, eps=o["norm_eps"], momentum=o["norm_memory"]),
        "layer": lambda: nn.LayerNorm(32, eps=o["norm_eps"]),
    }[o["norm"]]  # fmt: skip
    if family == "mlp":
        return nn.Sequential(
            nn.Linear(10, 32, bias=o["bias"]), norm(), torch_activation(o), nn.Dropout(o["dropout"]),
            nn.Linear(32, 32), torch_activation(o), nn.Linear(32, 1),
        )  # fmt: skip
    size = 8 if o["padding"] == "same" else 6
    size = math.ceil(size / o["stride"]) // 2
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1 if o["padding"] == "same" else 0, stride=o["stride"]),
        nn.BatchNorm2d(8, eps=o["norm_eps"], momentum=o["norm_memory"]), torch_activation(o),
        nn.MaxPool2d(2) if o["pool"] == "max" else nn.AvgPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), torch_activation(o), nn.Flatten(),
        nn.Linear(8 * size * size, 16), torch_activation(o), nn.Linear(16, 2),
    )  # fmt: skip


def _torch_optimizer(model: nn.Module, o: dict[str, Any]) -> torch.optim.Optimizer:
    params = [p for p in model.parameters() if p.requires_grad]
    t = torch.optim
    if o["rule"] == "sgd":
        return t.SGD(params, lr=o["lr"], momentum=o["momentum"], nesterov=o["nesterov"], dampening=o["dampening"],
                     weight_decay=o["decay"] if o["coupled"] else 0.0)  # fmt: skip
    if o["rule"] == "rmsprop":
        return t.RMSprop(
            params, lr=o["lr"], alpha=o["rho"], eps=o["eps"], centered=o["centered"], momentum=o["momentum"]
        )
    if o["rule"] == "adagrad":
        return t.Adagrad(params, lr=o["lr"], eps=o["eps"], initial_accumulator_value=o["accumulator"])
    rule = t.AdamW if o["decay"] and not o["coupled"] else t.Adam
    return rule(
        params, lr=o["lr"], betas=(0.9, o["beta_2"]), eps=o["eps"], weight_decay=o["decay"], amsgrad=o["amsgrad"]
    )


def _torch_loss(family: str, o: dict[str, Any]) -> Any:
    if family in {"cnn", "transformer"}:
        return nn.CrossEntropyLoss(label_smoothing=o["smoothing"])
    return {
        "mse": nn.MSELoss(), "sum": nn.MSELoss(reduction="sum"), "huber": nn.HuberLoss(), "mae": nn.L1Loss(),
        "half": lambda output, target: 0.5 * nn.functional.mse_loss(output, target),
        "broadcast": lambda output, target: ((output - target[:, 0]) ** 2).mean(),
    }[o["loss"]]  # fmt: skip


def _torch_clip(o: dict[str, Any]) -> Any:
    if o["clip"] == "global":
        return lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.05)
    if o["clip"] == "each":
        return lambda model: [p.grad.mul_((0.05 / p.grad.norm()).clamp(max=1.0)) for p in model.parameters()]
    return None


def torch_program(family: str, **given: Any) -> Make:
    """``make`` of the PyTorch implementation."""
    o = options(given)

    def make() -> dict[str, Any]:
        torch.manual_seed(3)
        model = _torch_model(family, o)
        model = model.bfloat16() if o["bf16"] else model
        optimizer = _torch_optimizer(model, o)
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [5], 0.1) if o["schedule"] else None
        penalty = (lambda m: o["l2"] * sum((p**2).sum() for n, p in m.named_parameters() if n.endswith("weight")
                                           and p.ndim > 1)) if o["l2"] else None  # fmt: skip
        return {
            "model": model, "optimizer": optimizer, "loss": _torch_loss(family, o),
            "batches": batches("lstm" if family == "gru" else family, o, first=True), "penalty": penalty,
            "before_step": _torch_clip(o), "scheduler": schedule, "training": o["training"],
            "accumulate": o["accumulate"], "average": o["average"],
        }  # fmt: skip

    return make


# ------------------------------------------------------------------------------------------ Keras


def keras_activation(o: dict[str, Any]) -> Any:
    """The activation by name, as a layer."""
    ops = keras.ops
    return {
        "tanh": lambda: L.Activation("tanh"), "relu": L.ReLU, "elu": L.ELU, "silu": lambda: L.Activation("silu"),
        "gelu": lambda: L.Activation(lambda x: ops.gelu(x, approximate=False)),
        "gelu_tanh": lambda: L.Activation(lambda x: ops.gelu(x, approximate=True)),
        "leaky": lambda: L.LeakyReLU(negative_slope=o["slope"]),
        "softmax": lambda: L.Softmax(axis=o["softmax_axis"] if o["softmax_axis"] is not None else 1),
    }[o["activation"]]()  # fmt: skip


def _keras_mlp(o: dict[str, Any], dense: Callable[..., Any]) -> Any:
    x = inputs = keras.Input((10,))
    x = dense(32, use_bias=o["bias"])(x)
    if o["norm"] == "batch":
        x = L.BatchNormalization(momentum=1 - o["norm_memory"], epsilon=o["norm_eps"])(x)
    if o["norm"] == "layer":
        x = L.LayerNormalization(epsilon=o["norm_eps"])(x)
    x = L.Dropout(o["dropout"])(keras_activation(o)(x))
    x = keras_activation(o)(dense(32)(x))
    return keras.Model(inputs, dense(1)(x))


def _keras_cnn(o: dict[str, Any], dense: Callable[..., Any]) -> Any:
    pool = L.MaxPooling2D if o["pool"] == "max" else L.AveragePooling2D
    x = inputs = keras.Input((8, 8, 3))
    x = L.Conv2D(8, 3, padding=o["padding"], strides=o["stride"])(x)
    x = keras_activation(o)(L.BatchNormalization(momentum=1 - o["norm_memory"], epsilon=o["norm_eps"])(x))
    x = L.DepthwiseConv2D(3, padding="same")(pool(2)(x))
    x = L.Flatten()(keras_activation(o)(x))
    return keras.Model(inputs, dense(2)(keras_activation(o)(dense(16)(x))))


def _keras_recurrent(o: dict[str, Any], dense: Callable[..., Any], *, gru: bool) -> Any:
    inputs = keras.Input((6, 5))
    activation = {"activation": "relu" if o["activation"] == "relu" else "tanh"}
    rnn = L.GRU(12, reset_after=o["reset_after"], **activation) if gru else L.LSTM(12, **activation)
    return keras.Model(inputs, dense(1)(rnn(inputs)))


class OneHot(L.Embedding):
    """An embedding whose gradient is a whole matrix: Keras squares sparse gradients before it adds equal rows."""

    def call(self, inputs: Any) -> Any:
        """Rows of the matrix."""
        return tf.matmul(tf.one_hot(inputs, self.input_dim, dtype=self.embeddings.dtype), self.embeddings)


def _keras_transformer(o: dict[str, Any], dense: Callable[..., Any]) -> Any:
    inputs = keras.Input((6,), dtype="int64")
    x = (L.Embedding if o["sparse"] else OneHot)(20, 16)(inputs)
    a = L.MultiHeadAttention(o["heads"], 16 // o["heads"])(x, x)
    x = L.LayerNormalization(epsilon=o["norm_eps"])(x + a)
    f = L.Dropout(o["dropout"])(dense(16)(keras_activation(o)(dense(32)(x))))
    x = L.LayerNormalization(epsilon=o["norm_eps"])(x + f)
    return keras.Model(inputs, dense(3)(keras.ops.mean(x, axis=1)))


def _keras_model(family: str, o: dict[str, Any]) -> Any:
    regularizer = keras.regularizers.L2(o["l2"]) if o["l2"] else None
    policy = {"dtype": "mixed_bfloat16"} if o["bf16"] else {}

    def dense(*args: Any, **kwargs: Any) -> Any:
        return L.Dense(*args, kernel_regularizer=regularizer, **kwargs, **policy)

    if family == "mlp":
        return _keras_mlp(o, dense)
    if family == "cnn":
        return _keras_cnn(o, dense)
    if family == "transformer":
        return _keras_transformer(o, dense)
    return _keras_recurrent(o, dense, gru=family == "gru")


def _keras_optimizer(o: dict[str, Any]) -> Any:
    k = keras.optimizers
    rate = k.schedules.PiecewiseConstantDecay([4], [o["lr"], o["lr"] / 10]) if o["schedule"] else o["lr"]
    more: dict[str, Any] = {"global": {"global_clipnorm": 0.05}, "each": {"clipnorm": 0.05}}.get(o["clip"], {})
    if o["accumulate"] > 1:
        more["gradient_accumulation_steps"] = o["accumulate"]
    if o["decay"] and not o["coupled"]:
        more["weight_decay"] = o["decay"]
    if o["rule"] == "sgd":
        return k.SGD(rate, momentum=o["momentum"], nesterov=o["nesterov"], **more)
    if o["rule"] == "rmsprop":
        return k.RMSprop(rate, rho=o["rho"], epsilon=o["eps"], centered=o["centered"], momentum=o["momentum"], **more)
    if o["rule"] == "adagrad":
        return k.Adagrad(rate, epsilon=o["eps"], initial_accumulator_value=o["accumulator"], **more)
    return k.Adam(rate, beta_2=o["beta_2"], epsilon=o["eps"], amsgrad=o["amsgrad"], **more)


def _keras_loss(family: str, o: dict[str, Any]) -> Any:
    if family in {"cnn", "transformer"}:
        classes = 2 if family == "cnn" else 3
        smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=o["smoothing"])
        return lambda target, output: smooth(tf.one_hot(target, classes, dtype=output.dtype), output)
    k = keras.losses
    return {
        "mse": k.MeanSquaredError(), "sum": k.MeanSquaredError(reduction="sum"), "huber": k.Huber(),
        "mae": k.MeanAbsoluteError(), "half": lambda y, o: 0.5 * tf.reduce_mean(tf.square(o - y)),
        "broadcast": lambda y, o: tf.reduce_mean(tf.square(o - y[:, 0])),
    }[o["loss"]]  # fmt: skip


def keras_program(family: str, **given: Any) -> Make:
    """``make`` of the Keras implementation."""
    o = options(given)

    def make() -> dict[str, Any]:
        keras.utils.set_random_seed(5)
        return {
            "model": _keras_model(family, o), "optimizer": _keras_optimizer(o), "loss": _keras_loss(family, o),
            "batches": batches("lstm" if family == "gru" else family, o, first=False), "training": o["training"],
        }  # fmt: skip

    return make
