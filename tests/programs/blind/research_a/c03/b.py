"""Denoising diffusion for two moons: Keras model with its own train_step."""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(101)

STEPS_T = 40

# data, identical for every run
rng = np.random.RandomState(17)
theta = np.pi * rng.rand(2000)
upper = np.arange(2000) % 2 == 0
moons = np.where(upper[:, None],
                 np.stack([np.cos(theta), np.sin(theta)], 1),
                 np.stack([1 - np.cos(theta), 0.5 - np.sin(theta)], 1))
moons = moons + 0.06 * rng.randn(2000, 2)
moons = ((moons - moons.mean(0)) / moons.std(0)).astype("float32")
x_train, x_val = moons[:1600], moons[1600:]
t_val = rng.randint(0, 40, size=400).astype("int32")
eps_val = rng.randn(400, 2).astype("float32")

alpha_bar = np.cumprod(1.0 - np.linspace(1e-3, 0.15, STEPS_T))
signal = tf.constant(np.sqrt(alpha_bar), tf.float32)
noise_level = tf.constant(np.sqrt(1.0 - alpha_bar), tf.float32)
frequencies = tf.constant(np.exp(-np.log(100.0) * np.arange(8) / 8), tf.float32)


def make_network(width=80):
    x = keras.Input((2,))
    feats = keras.Input((16,))
    h = keras.layers.Concatenate()([x, feats])
    h = keras.layers.Dense(width, activation="silu")(h)
    h = h + keras.layers.Dense(width, activation="silu")(h)
    h = h + keras.layers.Dense(width, activation="silu")(h)
    return keras.Model([x, feats], keras.layers.Dense(2)(h))


def embed(t):
    ang = tf.cast(t, tf.float32)[:, None] * frequencies[None, :]
    return tf.concat([tf.sin(ang), tf.cos(ang)], axis=1)


def noisy(x, t, eps):
    return tf.gather(signal, t)[:, None] * x + tf.gather(noise_level, t)[:, None] * eps


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        return self.peak * tf.minimum(1.0, (tf.cast(step, tf.float32) + 1.0) / self.steps)


class Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.network = make_network()
        self.average = make_network()
        self.average.trainable = False
        self.average.set_weights(self.network.get_weights())
        self.loss_metric = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_metric]

    def train_step(self, x):
        n = tf.shape(x)[0]
        t = tf.random.uniform((n,), 0, STEPS_T, dtype=tf.int32)
        eps = tf.random.normal(tf.shape(x))
        with tf.GradientTape() as tape:
            guess = self.network([noisy(x, t, eps), embed(t)], training=True)
            loss = tf.reduce_mean(tf.square(guess - eps))
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        for slow, fast in zip(self.average.weights, self.network.weights):
            slow.assign(0.98 * slow + 0.02 * fast)
        self.loss_metric.update_state(loss, sample_weight=tf.cast(n, tf.float32))
        return {"loss": self.loss_metric.result()}


def validate(network):
    guess = network([noisy(x_val, t_val, eps_val), embed(t_val)], training=False)
    return float(tf.reduce_mean(tf.square(guess - eps_val)))


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % 4 == 0:
            print("epoch %d loss %.4f valid %.4f valid(ema) %.4f" % (
                epoch + 1, logs["loss"], validate(self.model.network), validate(self.model.average)))


model = Diffusion()
model.compile(optimizer=keras.optimizers.AdamW(
    learning_rate=Warmup(3e-3, 40), weight_decay=0.02,
    beta_1=0.9, beta_2=0.99, epsilon=1e-12))

# ------------------------------------------------------------------ training
model.fit(x_train, batch_size=128, epochs=36, shuffle=True, verbose=0, callbacks=[Report()])
print("final valid(ema) %.5f" % validate(model.average))
