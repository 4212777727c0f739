"""Autoencoder for sensor readings, written with plain TensorFlow variables."""
import numpy as np
import tensorflow as tf
import keras

tf.random.set_seed(6)

rng = np.random.default_rng(60)
latent = rng.standard_normal((1280, 4))
mixing = rng.standard_normal((4, 20)) / 2.0
readings = np.tanh(latent @ mixing) + 0.05 * rng.standard_normal((1280, 20))
readings = readings.astype(np.float32)
train, test = readings[:1024], readings[1024:]

SIZES = [20, 32, 4, 32, 20]
LR, MOMENTUM, BATCH, EPOCHS = 0.5, 0.9, 64, 20


def glorot(fan_in, fan_out):
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    return tf.Variable(tf.random.uniform((fan_in, fan_out), -limit, limit))


params = []
for a, b in zip(SIZES[:-1], SIZES[1:]):
    params += [glorot(a, b), tf.Variable(tf.zeros((b,)))]


def forward(x):
    h = x
    last = len(params) // 2 - 1
    for k in range(last + 1):
        h = tf.matmul(h, params[2 * k]) + params[2 * k + 1]
        if k < last:
            h = tf.tanh(h)
    return h


opt = keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM)


@tf.function
def train_step(batch):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(forward(batch) - batch))
    opt.apply_gradients(zip(tape.gradient(loss, params), params))
    return loss


opt.build(params)
ds = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train), seed=6, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(1, EPOCHS + 1):
    mean_loss = np.mean([train_step(b).numpy() for b in ds])
    print(f"epoch {epoch:2d} | reconstruction {mean_loss:.5f}")
print(f"test reconstruction {tf.reduce_mean(tf.square(forward(test) - test)).numpy():.5f}")
