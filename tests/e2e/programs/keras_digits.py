"""An ordinary Keras script; nothing here knows the auditor.

Environment: NAN_STEP poisons one layer's gradient at that step (1-based); STEPS, SEED; RESULT names
a file for losses and final weights.
"""

import json
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import tensorflow as tf
from sklearn.datasets import load_digits

keras.utils.set_random_seed(int(os.environ.get("SEED", "0")))
poison_at = int(os.environ.get("NAN_STEP", "0"))
steps = int(os.environ.get("STEPS", "60"))
calls = tf.Variable(0, trainable=False)


@tf.custom_gradient
def poisoned(kernel):
    """The kernel itself; its gradient has one NaN at step NAN_STEP."""

    def backward(upstream):
        calls.assign_add(1)
        spot = tf.scatter_nd([[3, 5]], [1.0], tf.shape(upstream))
        bad = tf.where(spot > 0, tf.constant(float("nan")), upstream)
        return tf.cond(calls == poison_at, lambda: bad, lambda: upstream)

    return tf.identity(kernel), backward


class Middle(keras.layers.Layer):
    """A dense layer whose kernel's gradient can be poisoned."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 32), name="kernel")
        self.bias = self.add_weight(shape=(32,), initializer="zeros", name="bias")

    def call(self, x):
        return tf.nn.relu(x @ poisoned(tf.convert_to_tensor(self.kernel)) + self.bias)


digits = load_digits()
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(32, "relu"), Middle(name="middle"), keras.layers.Dense(10)]
)
model.compile(
    keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
)
repeats = steps * 64 // len(digits.data) + 1
dataset = tf.data.Dataset.from_tensor_slices(((digits.data / 16.0).astype("float32"), digits.target))
dataset = dataset.repeat(repeats).batch(64, drop_remainder=True).take(steps)
history = model.fit(dataset, epochs=1, verbose=0)
print("last loss", history.history["loss"][-1])
if "RESULT" in os.environ:
    with open(os.environ["RESULT"], "w", encoding="utf-8") as file:
        weights = [float(value).hex() for w in model.get_weights() for value in w.flatten()]
        json.dump({"losses": [float(v).hex() for v in history.history["loss"]], "weights": weights}, file)
