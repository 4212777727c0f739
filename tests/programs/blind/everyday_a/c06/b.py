"""Multi-step forecaster with a GRU, explicit training loop."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from tensorflow import keras

HISTORY, HORIZON, CHANNELS = 16, 4, 3


def make_series():
    """Three coupled channels; predict the next HORIZON values of the first."""
    rng = np.random.default_rng(99)
    n = 1300
    s = np.zeros((n, CHANNELS))
    s[0] = rng.normal(size=CHANNELS)
    mix = np.array([[0.75, 0.5, 0.0], [-0.5, 0.75, 0.25], [0.1, -0.2, 0.85]])
    for i in range(1, n):
        s[i] = np.tanh(mix @ s[i - 1]) + 0.25 * rng.normal(size=CHANNELS)
    s = (s / s[:1000].std(0)).astype("float32")
    count = n - HISTORY - HORIZON + 1
    x = np.stack([s[i : i + HISTORY] for i in range(count)])
    y = np.stack([s[i + HISTORY : i + HISTORY + HORIZON, 0] for i in range(count)])
    return x[:1000], y[:1000], x[1000:], y[1000:]


class Forecaster(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn = keras.layers.GRU(
            32,
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            bias_initializer="zeros",
            reset_after=True,
        )
        self.drop = keras.layers.Dropout(0.1)
        self.head = keras.layers.Dense(HORIZON)

    def call(self, x, training=False):
        return self.head(self.drop(self.rnn(x), training=training))


def make_optimizer():
    return keras.optimizers.RMSprop(
        learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False
    )


def make_train_step(model, optimizer, max_norm=0.5):
    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            pred = model(x, training=True)
            loss = tf.reduce_mean(tf.abs(y - pred))
        variables = model.trainable_variables
        grads, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), max_norm)
        optimizer.apply_gradients(zip(grads, variables))
        return loss

    return train_step


def main():
    keras.utils.set_random_seed(31)
    x_train, y_train, x_test, y_test = make_series()
    batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(1000).batch(50)
    model = Forecaster()
    model(x_train[:1])  # create the variables
    train_step = make_train_step(model, make_optimizer())
    for epoch in range(14):
        loss = np.mean([train_step(x, y) for x, y in batches])
        print(f"epoch {epoch + 1}/14 - loss: {loss:.4f}")
    test_mae = np.mean(np.abs(model(x_test, training=False).numpy() - y_test))
    print(f"test mae {test_mae:.4f}")


if __name__ == "__main__":
    main()
