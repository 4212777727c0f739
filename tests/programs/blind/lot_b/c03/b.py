import numpy as np
import tensorflow as tf
import keras


def make_data(n=960, steps=20):
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, n)
    freq = np.array([0.8, 1.2, 1.7])[label]
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.linspace(0, 2 * np.pi, steps)
    s = np.sin(freq[:, None] * t + phase[:, None])
    c = np.cos(freq[:, None] * t + phase[:, None])
    x = np.stack([s, c], -1) + 0.3 * rng.standard_normal((n, steps, 2))
    return x.astype("float32"), label.astype("int64")


keras.utils.set_random_seed(1)
x, y = make_data()
xt, yt, xv, yv = x[:800], y[:800], x[800:], y[800:]

model = keras.Sequential([
    keras.Input((20, 2)),
    keras.layers.LSTM(24),
    keras.layers.Dense(3),
])
opt = keras.optimizers.Adam(learning_rate=5e-3, epsilon=1e-12)
ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = ce(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((xt, yt)).shuffle(800).batch(40)
for epoch in range(12):
    for xb, yb in data:
        train_step(xb, yb)

logits = model(xv, training=False)
print("val loss", round(float(ce(yv, logits)), 4),
      "val acc", round(float(np.mean(np.argmax(logits, 1) == yv)), 4))
