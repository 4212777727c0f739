"""Forecast a damped oscillation with a GRU: the training loop written out."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(101)


def series(n, rng):
    t = np.arange(25)
    freq = rng.uniform(0.3, 0.9, (n, 1))
    decay = rng.uniform(0.0, 0.06, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    s = 1.5 * np.exp(-decay * t) * np.sin(freq * t + phase)
    x = s[:, :24] + 0.05 * rng.standard_normal((n, 24))
    return x[..., None].astype("float32"), s[:, 24:].astype("float32")


rng = np.random.default_rng(31)
x_train, y_train = series(610, rng)
x_test, y_test = series(250, rng)


class Forecaster(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn = layers.GRU(24)
        self.hidden = layers.Dense(12, activation="tanh")
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.hidden(self.rnn(x, training=training)))


model = Forecaster()
model(x_train[:1])  # creates the weights
optimizer = keras.optimizers.RMSprop(learning_rate=4e-3, rho=0.9, clipnorm=1.0)
huber = keras.losses.Huber(delta=0.5)
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(610).batch(40)


@tf.function(reduce_retracing=True)
def step(x, y):
    with tf.GradientTape() as tape:
        loss = huber(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(grads, model.trainable_variables)
    return loss


mean_loss = keras.metrics.Mean()
for epoch in range(15):
    mean_loss.reset_state()
    for x, y in batches:
        mean_loss.update_state(step(x, y), sample_weight=tf.cast(len(x), tf.float32))
    print(f"epoch {epoch + 1:2d}  loss {float(mean_loss.result()):.5f}")

error = model(x_test, training=False).numpy() - y_test
print(f"test rmse {np.sqrt(np.mean(error ** 2)):.4f}  "
      f"test mae {np.mean(np.abs(error)):.4f}  std of target {y_test.std():.4f}")
