"""Sequence regression with keras.layers.LSTM."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2024)

T, UNITS, BATCH, EPOCHS, CLIP = 14, 20, 50, 16, 0.3


def sequences(n, seed):
    g = np.random.RandomState(seed)
    x = g.uniform(-1, 1, size=(n, T, 3)).astype("float32")
    gate = (x[:, :, 1] > 0).astype("float32")
    y = (x[:, :, 0] * gate).sum(1) + 0.5 * x[:, -1, 2] + 0.05 * g.randn(n)
    return x, y.astype("float32")[:, None]


x_tr, y_tr = sequences(1000, 10)
x_te, y_te = sequences(300, 11)

net = keras.Sequential([
    keras.Input((T, 3)),
    layers.LSTM(
        UNITS,
        activation="tanh",
        recurrent_activation="sigmoid",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
    ),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
net.compile(
    optimizer=keras.optimizers.Adam(
        learning_rate=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12, global_clipnorm=CLIP
    ),
    loss=keras.losses.Huber(delta=1.0),
)


def main():
    # a new order in every epoch
    ds = tf.data.Dataset.from_tensor_slices((x_tr, y_tr))
    ds = ds.shuffle(len(x_tr), reshuffle_each_iteration=True).batch(BATCH)
    net.fit(ds, epochs=EPOCHS, verbose=2)
    print(f"test huber {net.evaluate(x_te, y_te, batch_size=300, verbose=0):.5f}")


if __name__ == "__main__":
    main()
