"""Two spirals: MLP with BatchNormalization, Dropout and L2, trained by hand."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers

keras.utils.set_random_seed(1)


def spirals(n, rng):
    y = rng.integers(0, 2, n)
    r = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 3.2 * np.pi * r / 1.5 + np.pi * y
    x = np.stack([r * np.cos(angle), r * np.sin(angle)], 1) + 0.04 * rng.standard_normal((n, 2))
    return (2 * x).astype("float32"), y.astype("float32")[:, None]


rng = np.random.default_rng(77)
x_train, y_train = spirals(700, rng)
x_test, y_test = spirals(400, rng)

l2 = regularizers.L2(1e-4)
model = keras.Sequential([
    keras.Input((2,)),
    layers.Dense(64, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=l2),
    layers.BatchNormalization(momentum=0.95),
    layers.Activation("relu"),
    layers.Dropout(0.1),
    layers.Dense(48, activation="relu", kernel_initializer="he_normal", kernel_regularizer=l2),
    layers.Dropout(0.1),
    layers.Dense(1, kernel_regularizer=l2),
])
optimizer = keras.optimizers.Adam(learning_rate=5e-3)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
dataset = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(len(x_train), reshuffle_each_iteration=True)
           .batch(32, drop_remainder=False))


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x)
        loss = loss_fn(y, logits) + tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(20):
    total, count = 0.0, 0
    for x, y in dataset:
        total += float(train_step(x, y)) * len(x)
        count += len(x)
    print(f"epoch {epoch + 1:2d}  loss {total / count:.4f}")

logits = model(x_test, training=False).numpy()
bce = np.mean(np.logaddexp(0, logits) - y_test * logits)
print(f"test bce {bce:.4f}  test accuracy {np.mean((logits > 0) == (y_test > 0.5)):.4f}")
