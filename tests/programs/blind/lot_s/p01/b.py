"""Churn classifier, TensorFlow with a custom loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(17)


def make_data(n=800, d=12):
    rng = np.random.default_rng(41)
    X = rng.normal(size=(n, d)).astype("float32")
    score = 1.2 * X[:, 0] - 0.9 * X[:, 1] + X[:, 2] * X[:, 3] + 0.6 * np.sin(2 * X[:, 4]) - 0.3
    y = (score + 0.4 * rng.normal(size=n) > 0).astype("float32")
    return X, y


X, y = make_data()
Xtr, ytr, Xva, yva = X[:640], y[:640], X[640:], y[640:]

model = keras.Sequential([
    keras.Input((12,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(16, activation="tanh"),
    layers.Dense(1),
])
optimizer = keras.optimizers.SGD(learning_rate=0.02)
train_ds = (tf.data.Dataset.from_tensor_slices((Xtr, ytr[:, None]))
            .shuffle(len(Xtr), reshuffle_each_iteration=True).batch(16))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = keras.losses.binary_crossentropy(yb, logits, from_logits=True)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(12):
    losses = []
    for xb, yb in train_ds:
        losses.append(train_step(xb, yb).numpy())
    z = model(Xva, training=False)
    val = float(tf.reduce_mean(keras.losses.binary_crossentropy(yva[:, None], z, from_logits=True)))
    acc = ((z.numpy()[:, 0] > 0).astype("float32") == yva).mean()
    print(f"epoch {epoch + 1}: loss {np.concatenate(losses).mean():.4f} val_loss {val:.4f} val_acc {acc:.3f}")
