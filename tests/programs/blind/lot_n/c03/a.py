import numpy as np
import tensorflow as tf
import keras
from keras import layers

SEED = 8
HIDDEN = 24
BATCH = 40
EPOCHS = 12


def make_data(n, rng):
    t = np.arange(24)
    freq = rng.uniform(0.15, 0.6, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    amp = rng.uniform(0.5, 1.5, (n, 1))
    clean = amp * np.sin(freq * np.arange(25) + phase)
    x = clean[:, :24] + rng.normal(0, 0.05, (n, 24))
    x2 = np.cos(freq * t) * 0.5
    seq = np.stack([x, x2], axis=2).astype("float32")
    return seq, clean[:, 24:25].astype("float32")


rng = np.random.default_rng(7)
X_train, y_train = make_data(1000, rng)
X_test, y_test = make_data(300, rng)

keras.utils.set_random_seed(SEED)
model = keras.Sequential([
    keras.Input((24, 2)),
    layers.LSTM(HIDDEN),
    layers.Dense(1),
])
loss_fn = keras.losses.MeanSquaredError()
optimizer = keras.optimizers.Adam(learning_rate=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    optimizer.learning_rate.assign(5e-3 * 0.5 ** (epoch // 4))
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(perm):.5f}")

pred = model(X_test, training=False).numpy()
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
