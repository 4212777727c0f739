"""Forecasting with a small causal convolution network; TensorFlow loop, clipping by hand."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

LENGTH, HORIZON, BATCH, EPOCHS = 32, 4, 30, 10
MAX_NORM = 0.4


def make_data():
    rng = np.random.default_rng(101)
    n = 1300
    t = np.arange(LENGTH + HORIZON)
    period = rng.uniform(6, 14, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    amp = rng.uniform(0.8, 3.0, size=(n, 1))
    s = amp * np.sin(2 * np.pi * t / period + phase) + rng.normal(scale=0.1, size=(n, len(t)))
    s[rng.uniform(size=s.shape) < 0.01] += 6.0          # some spikes
    s = s.astype(np.float32)
    x, y = s[:, :LENGTH], s[:, LENGTH:]
    return x[:1100], y[:1100], x[1100:], y[1100:]


def huber(y, p):
    e = tf.abs(p - y)
    return tf.reduce_mean(tf.where(e <= 1.0, 0.5 * e * e, e - 0.5))


keras.utils.set_random_seed(6)
x_train, y_train, x_test, y_test = make_data()

inputs = keras.Input((LENGTH,))
h = layers.Reshape((LENGTH, 1))(inputs)
for dilation in (1, 2, 4):
    h = layers.Conv1D(16, 3, dilation_rate=dilation, padding="causal", activation="elu")(h)
outputs = layers.Dense(HORIZON)(h[:, -1, :])
model = keras.Model(inputs, outputs)
velocity = [tf.Variable(tf.zeros(w.shape), trainable=False) for w in model.trainable_variables]


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = huber(yb, model(xb, training=True))
    grads = tape.gradient(loss, variables)
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in grads]))
    scale = tf.minimum(1.0, MAX_NORM / (norm + 1e-6))
    for w, v, g in zip(variables, velocity, grads):
        v.assign(0.9 * v + scale * g)
        w.assign_sub(0.05 * v)
    return loss, norm


for epoch in range(EPOCHS):
    total, clipped, steps = 0.0, 0, 0
    for i in range(0, len(x_train), BATCH):      # the series are in random order already
        xb = tf.constant(x_train[i:i + BATCH])
        yb = tf.constant(y_train[i:i + BATCH])
        loss, norm = train_step(xb, yb)
        total += float(loss) * len(xb)
        clipped += int(norm > MAX_NORM)
        steps += 1
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.5f} clipped {clipped}/{steps}")

print(f"test loss {float(huber(y_test, model(x_test, training=False))):.5f}")
