import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)


def textures(n, size=16, seed=0):
    """Four kinds of surface: horizontal, vertical and diagonal stripes, spots."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:size, 0:size].astype("float64")
    images = np.empty((n, size, size, 1), "float32")
    labels = rng.integers(0, 4, n)
    for i, k in enumerate(labels):
        f = rng.uniform(0.8, 1.4)
        p, q = rng.uniform(0, 2 * np.pi, 2)
        if k == 0:
            img = np.sin(f * yy + p)
        elif k == 1:
            img = np.sin(f * xx + p)
        elif k == 2:
            img = np.sin(f * (xx + yy) / 1.4 + p)
        else:
            img = np.sin(f * xx + p) * np.sin(f * yy + q)
        images[i, :, :, 0] = rng.uniform(0.5, 1.0) * img + rng.normal(0, 0.7, (size, size))
    return images, labels.astype("int32")


x_train, y_train = textures(1280, seed=10)
x_test, y_test = textures(400, seed=11)

inputs = keras.Input((16, 16, 1))
x = layers.Conv2D(12, 3, padding="same", use_bias=False)(inputs)
x = layers.BatchNormalization(epsilon=1e-5)(x)
x = layers.ReLU()(x)
x = layers.MaxPooling2D(2)(x)
x = layers.Conv2D(24, 3, padding="same", use_bias=False)(x)
x = layers.BatchNormalization(epsilon=1e-5)(x)
x = layers.ReLU()(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.25)(x)
outputs = layers.Dense(4)(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# ---- training
model.fit(x_train, y_train, batch_size=64, epochs=8, verbose=2)
loss, acc = model.evaluate(x_test, y_test, batch_size=200, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
