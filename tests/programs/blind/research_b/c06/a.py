"""Signed distance of a plane curve by a sine network with an eikonal penalty (Keras layers, tape)."""
import keras
import numpy as np
import tensorflow as tf

SEED = 9
OMEGA = 4.0
WIDTH = 48
BATCH, EPOCHS, LR = 100, 40, 2e-4
W_SURFACE, W_NORMAL, W_EIKONAL, W_OFF = 20.0, 1.0, 0.5, 1.0


def ellipse_samples(n=1000):
    rng = np.random.default_rng(6)
    phi = rng.uniform(0, 2 * np.pi, n)
    on = np.stack([0.7 * np.cos(phi), 0.4 * np.sin(phi)], axis=1)
    normal = np.stack([np.cos(phi) / 0.7, np.sin(phi) / 0.4], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    off = rng.uniform(-1, 1, size=(n, 2))
    return on.astype(np.float32), normal.astype(np.float32), off.astype(np.float32)


def inside(pts):
    return (pts[:, 0] / 0.7) ** 2 + (pts[:, 1] / 0.4) ** 2 < 1


class Sine(keras.layers.Layer):
    def __init__(self, units, first=False):
        super().__init__()
        self.units = units
        self.first = first

    def build(self, shape):
        n_in = shape[-1]
        bound = 1.0 / n_in if self.first else np.sqrt(6.0 / n_in) / OMEGA
        self.kernel = self.add_weight(
            shape=(n_in, self.units), initializer=keras.initializers.RandomUniform(-bound, bound))
        edge = 1.0 / np.sqrt(n_in)
        self.bias = self.add_weight(
            shape=(self.units,), initializer=keras.initializers.RandomUniform(-edge, edge))

    def call(self, x):
        return tf.sin(OMEGA * (tf.matmul(x, self.kernel) + self.bias))


keras.utils.set_random_seed(SEED)
last = np.sqrt(6.0 / WIDTH) / OMEGA
model = keras.Sequential([
    keras.Input((2,)),
    Sine(WIDTH, first=True),
    Sine(WIDTH),
    keras.layers.Dense(
        1,
        kernel_initializer=keras.initializers.RandomUniform(-last, last),
        bias_initializer="zeros",
    ),
])
optimizer = keras.optimizers.RMSprop(learning_rate=LR, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False)


def value_and_slope(pts):
    with tf.GradientTape() as tape:
        tape.watch(pts)
        f = model(pts, training=True)
    return f, tape.gradient(f, pts)


def length(g):
    return tf.sqrt(tf.reduce_sum(tf.square(g), axis=1) + 1e-12)


@tf.function(reduce_retracing=True)
def train_step(on, normal, off):
    with tf.GradientTape() as tape:
        f_on, g_on = value_and_slope(on)
        f_off, g_off = value_and_slope(off)
        surface = tf.reduce_mean(tf.abs(f_on))
        cosine = tf.reduce_sum(g_on * normal, axis=1) / length(g_on)
        align = tf.reduce_mean(1.0 - cosine)
        slopes = tf.concat([length(g_on), length(g_off)], axis=0)
        eikonal = tf.reduce_mean(tf.square(slopes - 1.0))
        repel = tf.reduce_mean(tf.exp(-20.0 * tf.abs(f_off)))
        loss = W_SURFACE * surface + W_NORMAL * align + W_EIKONAL * eikonal + W_OFF * repel
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss, surface, eikonal


on, normal, off = ellipse_samples()
data = tf.data.Dataset.from_tensor_slices((on, normal, off)).shuffle(1000).batch(BATCH)
for epoch in range(EPOCHS):
    for batch in data:
        loss, surface, eikonal = train_step(*batch)
    if epoch % 8 == 7:
        print(f"epoch {epoch + 1}  loss {float(loss):.4f}  surface {float(surface):.4f}  eikonal {float(eikonal):.4f}")

grid = np.stack(np.meshgrid(np.linspace(-1, 1, 61), np.linspace(-1, 1, 61)), -1).reshape(-1, 2).astype(np.float32)
sign = model(grid, training=False).numpy().ravel() < 0
print(f"inside/outside accuracy {np.mean(sign == inside(grid)):.4f}")
