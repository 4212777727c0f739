import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits


def load():
    d = load_digits()
    order = np.random.default_rng(21).permutation(len(d.target))
    x = (d.images[order] / 16.0).astype("float32")[..., None]
    y = d.target[order].astype("int32")
    return x[:1300], y[:1300], x[1300:], y[1300:]


def build():
    l2 = 5e-4
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", use_bias=False, kernel_regularizer=regularizers.L2(l2)),
        layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-3),
        layers.Activation("relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu", kernel_regularizer=regularizers.L2(l2)),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.2),
        layers.Dense(10),
    ])


def main():
    keras.utils.set_random_seed(4)
    x, y, xt, yt = load()
    model = build()
    opt = keras.optimizers.Adam(learning_rate=3e-3, epsilon=1e-7)
    ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), reshuffle_each_iteration=True).batch(64)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            logits = model(xb, training=True)
            loss = ce(yb, logits) + tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(10):
        for xb, yb in ds:
            step(xb, yb)

    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        out = model(xs, training=False).numpy()
        print("%s ce %.4f acc %.4f" % (name, float(ce(ys, out)), float((out.argmax(1) == ys).mean())))


if __name__ == "__main__":
    main()
