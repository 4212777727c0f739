import numpy as np
import tensorflow as tf
import keras
from keras import layers

EPOCHS, BATCH = 12, 32
keras.utils.set_random_seed(33)


def sensor_windows(n, rng, length=40):
    """n windows of 4 sensor channels (channel first), three kinds of motion."""
    y = rng.integers(0, 3, size=n)
    t = np.arange(length) / length
    offset = np.array([9.8, 0.0, 30.0, -4.0])
    scale = np.array([0.5, 0.05, 6.0, 1.5])
    freq = np.array([1.5, 2.5, 4.0])[y] + 0.3 * rng.normal(size=n)
    x = np.empty((n, 4, length))
    for c in range(4):
        phase = rng.uniform(0, 2 * np.pi, size=n)
        x[:, c] = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None])
    x += 0.8 * rng.normal(size=x.shape)
    x = x * scale[:, None] + offset[:, None]
    return x.astype("float32"), y.astype("int64")


def conv(filters, width):
    return layers.Conv1D(filters, width, padding="valid", activation="relu",
                         kernel_initializer="he_uniform", bias_initializer="zeros")


def build():
    inp = keras.Input((4, 40))
    h = layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5)(inp)
    h = layers.Permute((2, 1))(h)
    h = layers.MaxPooling1D(2)(conv(16, 7)(h))
    h = layers.GlobalAveragePooling1D()(conv(24, 5)(h))
    out = layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    return keras.Model(inp, out)


rng = np.random.default_rng(314)
x_train, y_train = sensor_windows(960, rng)
x_test, y_test = sensor_windows(320, rng)
model = build()
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = loss_fn(yb, logits)
    grads = tape.gradient(loss, model.trainable_weights)
    opt.apply_gradients(zip(grads, model.trainable_weights))
    hits = tf.reduce_sum(tf.cast(tf.argmax(logits, axis=1) == yb, tf.float32))
    return loss, hits


ds = tf.data.Dataset.from_tensor_slices((x_train, y_train))
ds = ds.shuffle(len(x_train), seed=33, reshuffle_each_iteration=True).batch(BATCH)
for e in range(EPOCHS):
    total = correct = 0.0
    for xb, yb in ds:
        loss, hits = train_step(xb, yb)
        total += float(loss) * int(xb.shape[0])
        correct += float(hits)
    print(f"epoch {e + 1:2d} loss {total / len(x_train):.4f} acc {correct / len(x_train):.4f}")

logits = model(x_test, training=False)
print(f"test loss {float(loss_fn(y_test, logits)):.4f} acc {np.mean(logits.numpy().argmax(1) == y_test):.4f}")
