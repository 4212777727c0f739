"""Electricity-load style forecaster: a GRU reads 24 steps, predicts the next 3 (TensorFlow)."""
import numpy as np
import tensorflow as tf
from tensorflow import keras

WINDOW, HORIZON = 24, 3
BATCH = 48
EPOCHS = 10


def make_windows():
    rng = np.random.default_rng(31)
    t = np.arange(1300)
    ar = np.zeros(len(t))
    for i in range(1, len(t)):
        ar[i] = 0.8 * ar[i - 1] + 0.15 * rng.normal()
    load = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 7 + 1) + ar
    hour = np.cos(2 * np.pi * t / 24)
    series = np.stack([load, hour], axis=1)
    idx = np.arange(len(t) - WINDOW - HORIZON + 1)
    x = np.stack([series[i:i + WINDOW] for i in idx]).astype(np.float32)
    y = np.stack([load[i + WINDOW:i + WINDOW + HORIZON] for i in idx]).astype(np.float32)
    return (x[:1000], y[:1000]), (x[1030:], y[1030:])


class Forecaster(keras.Model):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = keras.layers.GRU(hidden, kernel_initializer="glorot_uniform",
                                    recurrent_initializer="orthogonal",
                                    bias_initializer="zeros", reset_after=True)
        self.head = keras.layers.Dense(HORIZON)

    def call(self, x, training=False):
        return self.head(self.gru(x, training=training))


def make_optimizer():
    return keras.optimizers.Adam(learning_rate=5e-3, beta_1=0.9, beta_2=0.99,
                                 epsilon=1e-12, clipvalue=0.05)


def main():
    keras.utils.set_random_seed(9)
    (x_tr, y_tr), (x_te, y_te) = make_windows()
    dataset = tf.data.Dataset.from_tensor_slices((x_tr, y_tr)) \
        .shuffle(len(x_tr), reshuffle_each_iteration=True).batch(BATCH)

    model = Forecaster()
    model(x_tr[:1])                      # create the variables
    optimizer = make_optimizer()
    loss_fn = keras.losses.Huber(delta=0.5)
    running = keras.metrics.Mean()

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(1, EPOCHS + 1):
        running.reset_state()
        for x, y in dataset:
            running.update_state(train_step(x, y), sample_weight=tf.shape(x)[0])
        print(f"epoch {epoch:2d} train huber {float(running.result()):.5f}")

    pred = model(x_te, training=False)
    mae = tf.reduce_mean(tf.abs(pred - y_te))
    print(f"test huber {float(loss_fn(y_te, pred)):.5f} mae {float(mae):.5f}")


if __name__ == "__main__":
    main()
