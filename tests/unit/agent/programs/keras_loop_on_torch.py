"""A loop of its own around Keras on PyTorch, as Keras's guide has it."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

keras.utils.set_random_seed(3)
net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
optimizer, loss_of = keras.optimizers.Adam(3e-3), keras.losses.MeanSquaredError()
x = torch.randn(64, 6)
y = x[:, :1] - x[:, 1:2]
for at in range(30):
    rows = slice(16 * (at % 4), 16 * (at % 4) + 16)
    loss = loss_of(y[rows], net(x[rows], training=True))
    net.zero_grad()
    loss.backward()
    with torch.no_grad():
        optimizer.apply([weight.value.grad for weight in net.trainable_weights], net.trainable_weights)
