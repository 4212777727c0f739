"""Segmentation of bright discs in noisy 16x16 images, Keras."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(31)


def discs(n=320, size=16, seed=6):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size]
    images, masks = [], []
    for _ in range(n):
        cy, cx = rng.uniform(2, size - 2, 2)
        r = rng.uniform(2.0, 5.0)
        m = ((yy - cy) ** 2 + (xx - cx) ** 2 <= r * r).astype("float32")
        images.append(m + 0.6 * rng.normal(size=m.shape))
        masks.append(m)
    return np.stack(images).astype("float32"), np.stack(masks)


images, masks = discs()
images, masks = images[..., None], masks[..., None]
x_train, y_train, x_test, y_test = images[:256], masks[:256], images[256:], masks[256:]

inputs = keras.Input((16, 16, 1))
h = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
h = layers.MaxPooling2D(2)(h)
h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
h = layers.MaxPooling2D(2)(h)
h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
h = layers.UpSampling2D(4, interpolation="bilinear")(h)
h = layers.Conv2D(8, 3, padding="same", activation="relu")(h)
outputs = layers.Conv2D(1, 1)(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
hist = model.fit(x_train, y_train, batch_size=32, epochs=20, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"], 1):
    print(f"epoch {i:2d} bce {v:.4f}")

pred = model.predict(x_test, verbose=0) > 0
truth = y_test > 0.5
print("test IoU", float((pred & truth).sum() / (pred | truth).sum()))
