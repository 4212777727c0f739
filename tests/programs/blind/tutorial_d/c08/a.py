"""Segmentation of blobs with a small U-Net (Keras, compile and fit)."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(8)

SIZE, BATCH, EPOCHS = 16, 20, 12


def blobs(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    images = np.empty((n, SIZE, SIZE, 1), dtype="float32")
    masks = np.empty((n, SIZE, SIZE, 1), dtype="float32")
    for i in range(n):
        mask = np.zeros((SIZE, SIZE), dtype=bool)
        for _ in range(rng.integers(1, 3)):
            cy, cx = rng.uniform(3, SIZE - 3, 2)
            ry, rx = rng.uniform(2, 4.5, 2)
            mask |= ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1
        shade = 0.6 * np.sin(xx / 5 + rng.uniform(0, 6))
        images[i, ..., 0] = mask * 1.0 + shade + rng.normal(0, 0.5, (SIZE, SIZE))
        masks[i, ..., 0] = mask
    return images, masks


def block(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_uniform")(x)
        x = layers.GroupNormalization(groups=4, epsilon=1e-5)(x)
        x = layers.ReLU()(x)
    return x


def unet():
    inputs = keras.Input((SIZE, SIZE, 1))
    d1 = block(inputs, 8)
    d2 = block(layers.MaxPooling2D(2)(d1), 16)
    bottom = block(layers.MaxPooling2D(2)(d2), 24)
    u2 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(bottom), d2]), 16)
    u1 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(u2), d1]), 8)
    return keras.Model(inputs, layers.Conv2D(1, 1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(u1))


def bce_dice(y_true, logits):
    """One value per picture: pixel-mean cross-entropy plus one minus soft Dice."""
    bce = ops.mean(ops.softplus(logits) - y_true * logits, axis=(1, 2, 3))
    p = ops.sigmoid(logits)
    inter = ops.sum(p * y_true, axis=(1, 2, 3))
    total = ops.sum(p, axis=(1, 2, 3)) + ops.sum(y_true, axis=(1, 2, 3))
    return bce + 1.0 - (2.0 * inter + 1.0) / (total + 1.0)


x_train, m_train = blobs(300, seed=41)
x_test, m_test = blobs(100, seed=42)

model = unet()
steps = EPOCHS * (len(x_train) // BATCH)
rate = keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=steps, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=bce_dice,
)
model.fit(x_train, m_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

loss = model.evaluate(x_test, m_test, batch_size=BATCH, verbose=0)
pred = model.predict(x_test, batch_size=BATCH, verbose=0) > 0
truth = m_test > 0.5
iou = np.mean((pred & truth).sum((1, 2, 3)) / (pred | truth).sum((1, 2, 3)))
print(f"test loss {loss:.4f}  mean IoU {iou:.4f}")
