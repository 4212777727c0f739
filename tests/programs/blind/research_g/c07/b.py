"""Contrastive representation of short waves (NT-Xent), Keras model trained by fit."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(77)

N, LENGTH, BATCH, EPOCHS = 1000, 32, 64, 15
LR, MOMENTUM, CLIP, TEMPERATURE = 0.3, 0.9, 1.0, 0.3

rng = np.random.default_rng(17)
kind = rng.integers(0, 4, N + 400)
grid = np.linspace(0.0, 1.0, LENGTH)
phase = rng.uniform(0.0, 2 * np.pi, N + 400)[:, None]
arg = 2 * np.pi * grid[None] * (1.0 + kind // 2)[:, None] + phase
wave = np.where((kind % 2 == 0)[:, None], np.sin(arg), np.sign(np.sin(arg)))
wave = (wave + 0.25 * rng.standard_normal(wave.shape)).astype(np.float32)
train, test, k_train, k_test = wave[:N], wave[N:], kind[:N], kind[N:]


class SimCLR(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([
            keras.Input((LENGTH,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
        ])
        self.head = keras.Sequential([
            keras.Input((32,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16),
        ])
        self.loss_mean = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_mean]

    def augment(self, x):
        gain = tf.random.uniform((tf.shape(x)[0], 1), minval=0.7, maxval=1.3)
        noisy = gain * x + tf.random.normal(tf.shape(x), stddev=0.2)
        return tf.where(tf.random.uniform(tf.shape(x)) < 0.1, 0.0, noisy)

    def contrast(self, z1, z2):
        n = tf.shape(z1)[0]
        z = tf.math.l2_normalize(tf.concat([z1, z2], axis=0), axis=-1, epsilon=1e-12)
        logits = tf.matmul(z, z, transpose_b=True) / TEMPERATURE
        logits -= 1e9 * tf.eye(2 * n)
        labels = tf.math.floormod(tf.range(2 * n) + n, 2 * n)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))

    def train_step(self, x):
        one, two = self.augment(x), self.augment(x)
        with tf.GradientTape() as tape:
            loss = self.contrast(self.head(self.encoder(one, training=True), training=True),
                                 self.head(self.encoder(two, training=True), training=True))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        self.loss_mean.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.loss_mean.result()}


model = SimCLR()
steps = EPOCHS * int(np.ceil(N / BATCH))
model.compile(optimizer=keras.optimizers.SGD(
    learning_rate=keras.optimizers.schedules.CosineDecay(LR, decay_steps=steps, alpha=0.0),
    momentum=MOMENTUM, nesterov=False, global_clipnorm=CLIP))
model.fit(train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)


def knn(a, b):
    a = a / (np.linalg.norm(a, axis=1, keepdims=True) + 1e-9)
    b = b / (np.linalg.norm(b, axis=1, keepdims=True) + 1e-9)
    votes = k_train[np.argsort(-(b @ a.T), axis=1)[:, :9]]
    return np.mean([np.bincount(v, minlength=4).argmax() == k for v, k in zip(votes, k_test)])


f_train = model.encoder(train, training=False).numpy()
f_test = model.encoder(test, training=False).numpy()
print(f"9-nn accuracy: representation {knn(f_train, f_test):.3f}  raw {knn(train, test):.3f}")
