"""One-step forecast of a noisy signal: LSTM cell, Huber loss and clipping written in TensorFlow."""
import numpy as np
import tensorflow as tf
import keras

WINDOW, UNITS, BATCH, EPOCHS = 20, 24, 50, 16
DELTA, CLIP = 0.5, 0.25


def make_windows():
    rng = np.random.default_rng(7)
    t = np.arange(1820)
    s = np.sin(2 * np.pi * t / 23.0) + 0.6 * np.sin(2 * np.pi * t / 9.0 + 1.0) + 0.1 * rng.normal(size=t.size)
    phase = np.cos(2 * np.pi * t / 23.0)
    series = np.stack([s, phase], axis=1).astype("float32")
    x = np.stack([series[i : i + WINDOW] for i in range(len(t) - WINDOW)])
    y = s[WINDOW:].astype("float32")[:, None]
    return x[:1500], y[:1500], x[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_windows()

SEED = 58
tf.random.set_seed(SEED)
glorot_x = keras.initializers.GlorotUniform(seed=SEED)
ortho = keras.initializers.Orthogonal(gain=1.0, seed=SEED + 1)
glorot_o = keras.initializers.GlorotUniform(seed=SEED + 2)

w_x = tf.Variable(glorot_x((2, 4 * UNITS)), name="w_x")
w_h = tf.Variable(ortho((UNITS, 4 * UNITS)), name="w_h")
# gates in the order input, forget, candidate, output; forget bias starts at one
b = tf.Variable(tf.concat([tf.zeros(UNITS), tf.ones(UNITS), tf.zeros(2 * UNITS)], 0), name="b")
w_o = tf.Variable(glorot_o((UNITS, 1)), name="w_o")
b_o = tf.Variable(tf.zeros(1), name="b_o")
weights = [w_x, w_h, b, w_o, b_o]

optimizer = keras.optimizers.RMSprop(learning_rate=5e-4, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False)
optimizer.build(weights)


def forward(x):
    h = tf.zeros((tf.shape(x)[0], UNITS))
    c = tf.zeros((tf.shape(x)[0], UNITS))
    for step in range(WINDOW):
        z = tf.matmul(x[:, step, :], w_x) + tf.matmul(h, w_h) + b
        i, f, g, o = tf.split(z, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
    return tf.matmul(h, w_o) + b_o


def huber(y, pred):
    err = tf.abs(y - pred)
    quadratic = tf.minimum(err, DELTA)
    linear = err - quadratic
    return tf.reduce_mean(0.5 * quadratic**2 + DELTA * linear)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = huber(y, forward(x))
    grads = tape.gradient(loss, weights)
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in grads]))
    scale = CLIP / tf.maximum(norm, CLIP)
    optimizer.apply_gradients([(g * scale, w) for g, w in zip(grads, weights)])
    return loss


dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
dataset = dataset.shuffle(len(x_train), seed=SEED, reshuffle_each_iteration=True).batch(BATCH)

# training
for epoch in range(EPOCHS):
    losses = [float(train_step(x, y)) for x, y in dataset]
    print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")

pred = forward(tf.constant(x_test))
print("test huber", float(huber(tf.constant(y_test), pred)))
print("test rmse ", float(np.sqrt(np.mean((pred.numpy() - y_test) ** 2))))
