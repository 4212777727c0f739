"""Small image classifier, RMSprop with momentum and exponentially decayed learning rate (Keras)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

BATCH, EPOCHS = 32, 8
LR0, GAMMA, MOMENTUM = 0.004, 0.97, 0.95


def shapes(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:12, 0:12]
    x = rng.normal(0, 0.4, (n, 12, 12))
    y = rng.integers(0, 4, n)
    for i in range(n):
        cy, cx = rng.uniform(3.5, 7.5, 2)
        r = np.hypot(yy - cy, xx - cx)
        if y[i] == 0:
            m = np.abs(r - 3) < 0.8
        elif y[i] == 1:
            m = (np.abs(yy - cy) < 0.8) | (np.abs(xx - cx) < 0.8)
        elif y[i] == 2:
            m = np.maximum(np.abs(yy - cy), np.abs(xx - cx)) < 2.3
        else:
            m = np.abs((yy - cy) - (xx - cx)) < 1.1
        x[i] += m
    return x.astype("float32")[..., None], y.astype("int64")


x_train, y_train = shapes(800, 12)
x_test, y_test = shapes(400, 13)

keras.utils.set_random_seed(61)
model = keras.Sequential([
    keras.Input((12, 12, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.AveragePooling2D(2),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(24, activation="relu"),
    layers.Dense(4),
])

# training
schedule = keras.optimizers.schedules.ExponentialDecay(LR0, decay_steps=1, decay_rate=GAMMA)
optimizer = keras.optimizers.RMSprop(learning_rate=schedule, rho=0.9, momentum=MOMENTUM, epsilon=1e-18)
criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(61)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(step(x_train[idx], y_train[idx])) * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(perm):.4f}")

logits = model(x_test, training=False)
print(f"test loss {float(criterion(y_test, logits)):.4f} acc {np.mean(logits.numpy().argmax(1) == y_test):.4f}")
