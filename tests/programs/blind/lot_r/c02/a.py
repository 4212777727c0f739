"""Next value of a noisy oscillation with an LSTM (TensorFlow, own training loop)."""
import keras
import numpy as np
import tensorflow as tf

EPOCHS = 12
BATCH = 32
STEPS_IN = 16


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    freq = rng.uniform(0.2, 0.9, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    amp = rng.uniform(0.5, 1.5, size=(n, 1))
    t = np.arange(STEPS_IN + 1)[None, :]
    clean = amp * np.sin(freq * t + phase)
    noisy = clean + 0.05 * rng.standard_normal(clean.shape)
    x = np.stack([noisy[:, :-1], np.diff(noisy, axis=1, prepend=noisy[:, :1])[:, :-1]], axis=2)
    return x.astype("float32"), clean[:, -1:].astype("float32")


x_train, y_train = make_data(800, 5)
x_test, y_test = make_data(400, 6)

keras.utils.set_random_seed(7)
inputs = keras.Input((STEPS_IN, 2))
hidden = keras.layers.LSTM(24)(inputs)
hidden = keras.layers.Dense(16, activation="tanh")(hidden)
outputs = keras.layers.Dense(1)(hidden)
model = keras.Model(inputs, outputs)

schedule = keras.optimizers.schedules.ExponentialDecay(0.005, decay_steps=1, decay_rate=0.995)
optimizer = keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = tf.reduce_mean(tf.square(pred - yb))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in dataset:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    print(f"epoch {epoch + 1:2d}  mse {total / len(x_train):.5f}")

pred = model(x_test, training=False)
print(f"test mse {float(tf.reduce_mean(tf.square(pred - y_test))):.5f}")
