import numpy as np
import tensorflow as tf
import keras
from keras import layers

rng = np.random.default_rng(31)
n, C, T = 1200, 16, 16
t = np.arange(T)
y = rng.integers(0, 3, size=n)
freq = np.array([1.0, 2.0, 3.0])[y]
X = rng.normal(size=(n, C, T))
phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
for c in range(C):
    X[:, c] += 1.2 * np.sin(2 * np.pi * freq[:, None] * t / T + phase + 0.4 * c)
scale = np.geomspace(0.05, 20.0, C)[rng.permutation(C)]
offset = rng.normal(size=C) * scale
X = (X * scale[:, None] + offset[:, None]).astype("float32")  # (samples, sensors, time)
Xtr, ytr, Xte, yte = X[:1000], y[:1000], X[1000:], y[1000:]

keras.utils.set_random_seed(14)
model = keras.Sequential([
    keras.Input((16, 16)),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.Permute((2, 1)),
    layers.Conv1D(24, 5, padding="valid", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling1D(2),
    layers.Flatten(),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(learning_rate=0.05)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((Xtr, ytr)).shuffle(len(Xtr), reshuffle_each_iteration=True).batch(40)
for epoch in range(12):
    total = 0.0
    for xb, yb in data:
        total += float(train_step(xb, yb)) * len(xb)
    print("epoch", epoch + 1, "loss", round(total / len(Xtr), 4))

logits = model(Xte, training=False)
print("test loss", float(loss_fn(yte, logits)))
print("test acc", (np.argmax(logits, axis=1) == yte).mean())
