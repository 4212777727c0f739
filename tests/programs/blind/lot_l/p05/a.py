import numpy as np
import tensorflow as tf
import keras
from keras import layers

WINDOW, CH, BATCH, EPOCHS = 32, 3, 32, 5
CLIP = 0.01


def sensor(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(WINDOW) / WINDOW
    f = rng.uniform(1, 5, (n, CH))
    amp = rng.uniform(0.2, 1.5, (n, CH))
    ph = rng.uniform(0, 2 * np.pi, (n, CH))
    x = amp[:, None] * np.sin(2 * np.pi * f[:, None] * t[None, :, None] + ph[:, None])
    x += 0.1 * rng.standard_normal(x.shape)
    y = (x ** 2).mean((1, 2)) * 2.0 + 0.3 * x[:, -4:, 0].mean(1)
    y = y + 0.12 * rng.standard_t(2.0, n)
    return x.astype("float32"), (y - 1.0).astype("float32")[:, None]


x_train, y_train = sensor(800, 7)
x_test, y_test = sensor(300, 8)

tf.random.set_seed(40)
keras.utils.set_random_seed(40)
model = keras.Sequential([
    keras.Input((WINDOW, CH)),
    layers.Conv1D(16, 5, padding="valid", activation="relu"),
    layers.Conv1D(16, 3, padding="valid", activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(16, activation="relu"),
    layers.Dense(1),
])

# training
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, clipvalue=CLIP)
mse = keras.losses.MeanSquaredError()


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(40)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(step(x_train[idx], y_train[idx])) * len(idx)
    print(f"epoch {epoch} mse {total / len(perm):.4f}")

pred = model(x_test, training=False).numpy()
print(f"test mse {np.mean((pred - y_test) ** 2):.4f} mae {np.mean(np.abs(pred - y_test)):.4f}")
