"""Predict house-like prices (in units of 100k) from ten features."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers

rng = np.random.default_rng(31)
X = rng.normal(size=(1000, 10)).astype("float32")
price = 3.0 + 0.8 * X[:, 0] - 0.5 * X[:, 1] + 0.6 * np.maximum(X[:, 2], 0) * X[:, 3] + 0.2 * rng.normal(size=1000)
y = price.astype("float32").reshape(-1, 1)
Xt, yt, Xv, yv = X[:800], y[:800], X[800:], y[800:]

keras.utils.set_random_seed(6)
model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, kernel_regularizer=regularizers.L2(0.02)),
    layers.LayerNormalization(epsilon=1e-5),
    layers.ReLU(),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(0.02)),
    layers.Dense(1, kernel_regularizer=regularizers.L2(0.02)),
])
optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)

EPOCHS, BATCH = 20, 40


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        mse = tf.reduce_mean(tf.square(model(xb, training=True) - yb))
        loss = mse + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return mse


dataset = tf.data.Dataset.from_tensor_slices((Xt, yt)).shuffle(len(Xt), reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in dataset:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    print(f"epoch {epoch + 1:2d} mse {total / len(Xt):.4f}")

print(f"held-out mse {float(tf.reduce_mean(tf.square(model(Xv, training=False) - yv))):.4f}")
