# GRU that estimates the decay rate of a noisy damped oscillation. TensorFlow, custom loop.
import numpy as np
import tensorflow as tf

STEPS, N_TRAIN, N_TEST = 24, 960, 320
HIDDEN, BATCH, EPOCHS = 20, 48, 12


def make_data():
    rng = np.random.default_rng(77)
    n = N_TRAIN + N_TEST
    rate = rng.uniform(0.02, 0.25, size=(n, 1))
    freq = rng.uniform(0.4, 1.2, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    t = np.arange(STEPS)[None, :]
    wave = np.exp(-rate * t) * np.cos(freq * t + phase)
    wave = wave + 0.05 * rng.normal(size=wave.shape)
    target = (rate - 0.135) / 0.0664
    return wave[..., None].astype(np.float32), target.astype(np.float32)


x, y = make_data()
x_train, y_train, x_test, y_test = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]

tf.random.set_seed(1)
inp = tf.keras.Input((STEPS, 1))
h = tf.keras.layers.GRU(HIDDEN, kernel_initializer="glorot_uniform",
                        recurrent_initializer="orthogonal", bias_initializer="zeros",
                        reset_after=True)(inp)
out = tf.keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = tf.keras.Model(inp, out)

optimizer = tf.keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-10)
dataset = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(N_TRAIN, seed=1, reshuffle_each_iteration=True)
           .batch(BATCH))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = tf.reduce_mean(tf.square(pred - yb))
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    losses = [float(train_step(xb, yb)) for xb, yb in dataset]
    print("epoch", epoch, "train mse %.4f" % np.mean(losses))

test_mse = tf.reduce_mean(tf.square(model(x_test, training=False) - y_test))
print("test mse %.4f" % float(test_mse))
