import numpy as np
import keras
import tensorflow as tf
from keras import layers, regularizers

BATCH, EPOCHS = 48, 20
LR, MOMENTUM, CLIP, L2 = 0.1, 0.9, 0.25, 5e-4


def make_labels(n, rng, proto):
    """Each row switches several of the 5 labels on; features mix their prototypes."""
    y = (rng.random((n, 5)) < 0.4).astype("float32")
    x = y @ proto + 0.5 * np.roll(y, 1, axis=1) * y @ proto[::-1] + 1.2 * rng.normal(size=(n, 18))
    return x.astype("float32"), y


def build():
    reg = regularizers.L2(L2)
    return keras.Sequential([
        keras.Input((18,)),
        layers.Dense(56, kernel_regularizer=reg),
        layers.LayerNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.Dense(28, kernel_regularizer=reg),
        layers.LayerNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.Dense(5, kernel_regularizer=reg),
    ])


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(LR, momentum=MOMENTUM, nesterov=False, global_clipnorm=CLIP),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )


def main():
    rng = np.random.default_rng(64)
    proto = rng.normal(size=(5, 18))
    x, y = make_labels(700, rng, proto)
    xt, yt = make_labels(300, rng, proto)

    keras.utils.set_random_seed(31)
    model = build()
    compile_model(model)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    data = data.shuffle(len(x), reshuffle_each_iteration=True).batch(BATCH)
    model.fit(data, epochs=EPOCHS, shuffle=False, verbose=2)

    z = model.predict(xt, verbose=0)
    bce = np.mean(np.maximum(z, 0) - z * yt + np.log1p(np.exp(-np.abs(z))))
    print(f"test bce {bce:.4f} label acc {np.mean((z > 0) == (yt > 0.5)):.4f}")


if __name__ == "__main__":
    main()
