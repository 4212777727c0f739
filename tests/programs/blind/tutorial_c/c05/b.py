# Pre-train a small batch-normalised network, freeze it, train a new head.
# Keras layers, both stages with a GradientTape.
import keras
import numpy as np
import tensorflow as tf
from keras import layers

SIDE = 16


def stripes(angle, rng):
    yy, xx = np.mgrid[:SIDE, :SIDE]
    wave = rng.uniform(3.5, 5.5)
    phase = rng.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * (xx * np.cos(angle) + yy * np.sin(angle)) / wave + phase)


def make_data():
    rng = np.random.default_rng(321)
    angles = np.deg2rad([0, 45, 90, 135])
    ys = rng.integers(0, 4, 800)
    xs = np.stack([stripes(angles[k], rng) for k in ys])
    pairs = [(0, 2), (1, 3), (0, 1)]
    yt = rng.integers(0, 3, 500)
    xt = np.stack([0.5 * (stripes(angles[pairs[k][0]], rng) + stripes(angles[pairs[k][1]], rng))
                   for k in yt])
    xs = xs + 0.6 * rng.standard_normal(xs.shape)
    xt = xt + 0.6 * rng.standard_normal(xt.shape)
    xs, xt = xs[..., None].astype("float32"), xt[..., None].astype("float32")
    return xs, ys, xt[:300], yt[:300], xt[300:], yt[300:]


def convolution(x, filters, size):
    x = layers.Conv2D(filters, size, padding="same", use_bias=False,
                      kernel_initializer="glorot_uniform")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(x)
    return layers.Activation("relu")(x)


keras.utils.set_random_seed(61)
xs, ys, xt, yt, xv, yv = make_data()

image = keras.Input((SIDE, SIDE, 1))
x = convolution(image, 8, 5)
x = layers.MaxPooling2D(2)(x)
x = convolution(x, 16, 3)
x = layers.GlobalAveragePooling2D()(x)
base = keras.Model(image, x)
source_head = layers.Dense(4)
source_head.build((None, 16))
target_head = keras.Sequential([keras.Input((16,)), layers.Dense(24, activation="relu"),
                                layers.Dense(3)])


def cross_entropy(labels, logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def optimise(predict, variables, inputs, labels, batch, epochs, lr):
    optimizer = keras.optimizers.RMSprop(learning_rate=lr, rho=0.9, momentum=0.0, epsilon=1e-7)
    optimizer.build(variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, predict(x))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    data = tf.data.Dataset.from_tensor_slices((inputs, labels))
    data = data.shuffle(len(inputs), reshuffle_each_iteration=True).batch(batch)
    for epoch in range(epochs):
        losses = [float(step(x, y)) for x, y in data]
        print(f"  epoch {epoch + 1}: loss {np.mean(losses):.4f}")


print("source task, all weights")
optimise(lambda x: source_head(base(x, training=True)),
         base.trainable_variables + source_head.trainable_variables,
         xs, ys, batch=40, epochs=6, lr=2e-3)

print("target task, head only")
base.trainable = False
optimise(lambda x: target_head(base(x, training=False), training=True),
         target_head.trainable_variables,
         xt, yt, batch=30, epochs=15, lr=5e-3)

logits = target_head(base(xv, training=False), training=False).numpy()
print(f"target task: test loss {float(cross_entropy(yv, logits)):.4f} "
      f"accuracy {np.mean(logits.argmax(1) == yv):.4f}")
