"""TensorFlow's own loss operation, RMSprop, a traced step over a data set, a loss per sample."""

import sys

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
rng = np.random.default_rng(1)
x = rng.normal(size=(300, 6)).astype("float32")
labels = (x[:, 0] > 0).astype("int64")
inputs = tf.keras.Input((6,))
hidden = tf.keras.layers.Dense(12, activation="sigmoid")(inputs)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(hidden))
optimizer = tf.keras.optimizers.RMSprop(1e-2, rho=0.95)


@tf.function
def step(features, target):
    with tf.GradientTape() as tape:
        logits = model(features, training=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))  # noqa: B905
    return loss


data = tf.data.Dataset.from_tensor_slices((x, labels)).batch(50, drop_remainder=True)
for _ in range(4):
    for features, target in data:
        step(features, target)
print(f"accuracy {float(np.mean(model.predict(x, verbose=0).argmax(1) == labels)):.4f}")
