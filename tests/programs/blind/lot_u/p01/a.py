import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

SIGMA, BATCH, EPOCHS, LR = 0.35, 50, 15, 0.02

imgs = (load_digits().images / 16.0).astype("float32")[..., None]
order = np.random.default_rng(7).permutation(len(imgs))
train, test = imgs[order[:1000]], imgs[order[1000:1400]]
test_noisy = test + SIGMA * np.random.default_rng(8).standard_normal(test.shape).astype("float32")

keras.utils.set_random_seed(11)


def make_denoiser(width=12, depth=6):
    x = inp = keras.Input((8, 8, 1))
    for _ in range(depth - 1):
        x = layers.Conv2D(width, 3, padding="same", activation="tanh")(x)
    x = layers.Conv2D(1, 3, padding="same")(x)
    return keras.Model(inp, x)


net = make_denoiser()
opt = keras.optimizers.SGD(learning_rate=LR, momentum=0.9, nesterov=False)
opt.build(net.trainable_variables)


@tf.function
def step(clean):
    noisy = clean + SIGMA * tf.random.normal(tf.shape(clean))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(net(noisy, training=True) - clean))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


rng = np.random.default_rng(11)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(train))
    losses = [float(step(tf.constant(train[perm[i:i + BATCH]]))) for i in range(0, len(train), BATCH)]
    rec = net(test_noisy, training=False).numpy()
    print(f"epoch {epoch + 1:2d}  train {np.mean(losses):.5f}  test {np.mean((rec - test) ** 2):.5f}")
