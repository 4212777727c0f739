import numpy as np
import tensorflow as tf
import keras
from keras import layers


def load():
    rng = np.random.default_rng(12)
    n = 1100
    x = rng.normal(size=(n, 20)) * np.linspace(0.5, 4.0, 20) + np.linspace(-3, 3, 20)
    z = (x - np.linspace(-3, 3, 20)) / np.linspace(0.5, 4.0, 20)
    s = z[:, 0] + z[:, 1] - z[:, 2] + np.tanh(2 * z[:, 3]) + rng.normal(scale=0.7, size=n)
    y = np.digitize(s, [-0.7, 0.7])
    return x[:500].astype("float32"), y[:500], x[500:].astype("float32"), y[500:]


def build():
    return keras.Sequential([
        keras.Input((20,)),
        layers.Dense(64, use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.Activation("relu"),
        layers.Dropout(0.4),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(3),
    ])


def main():
    keras.utils.set_random_seed(20)
    x, y, xt, yt = load()
    model = build()
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9)
    train_ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(500, reshuffle_each_iteration=True).batch(25)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            logits = model(xb)
            loss = loss_fn(yb, logits)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(25):
        for xb, yb in train_ds:
            train_step(xb, yb)

    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        out = model.predict(xs, batch_size=len(xs), verbose=0)
        print(name, "loss", round(float(loss_fn(ys, out)), 4), "acc", round(float((out.argmax(1) == ys).mean()), 4))


if __name__ == "__main__":
    main()
