"""Segmentation of noisy discs: a little U-Net in functional Keras, trained with fit."""
import keras
import numpy as np
from keras import layers, ops

SIZE = 24


def make_data():
    rng = np.random.default_rng(808)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    images, masks = [], []
    for _ in range(600):
        angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        image = 0.5 * np.sin(1.2 * (xx * np.cos(angle) + yy * np.sin(angle)) + phase)
        mask = np.zeros((SIZE, SIZE))
        for _ in range(rng.integers(1, 4)):
            cy, cx, r = rng.uniform(4, 20), rng.uniform(4, 20), rng.uniform(2.5, 5)
            mask[(yy - cy) ** 2 + (xx - cx) ** 2 < r * r] = 1
        image = image + 0.7 * mask + 0.3 * rng.standard_normal(image.shape)
        images.append(image)
        masks.append(mask)
    x = np.array(images, dtype=np.float32)[..., None]
    y = np.array(masks, dtype=np.float32)[..., None]
    return x[:480], y[:480], x[480:], y[480:]


def convolution(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.GroupNormalization(groups=4, epsilon=1e-5)(x)
    return layers.Activation("silu")(x)


def block(x, filters):
    return convolution(convolution(x, filters), filters)


def unet():
    image = keras.Input((SIZE, SIZE, 1))
    a = block(image, 8)
    b = block(layers.MaxPooling2D(2)(a), 16)
    c = block(layers.MaxPooling2D(2)(b), 32)
    up = layers.Conv2DTranspose(16, 2, strides=2)(c)
    b = convolution(layers.Concatenate()([up, b]), 16)
    up = layers.Conv2DTranspose(8, 2, strides=2)(b)
    a = convolution(layers.Concatenate()([up, a]), 8)
    return keras.Model(image, layers.Conv2D(1, 1)(a))


def bce_dice(mask, logits):
    bce = ops.mean(ops.binary_crossentropy(mask, logits, from_logits=True), axis=(1, 2, 3))
    p = ops.sigmoid(logits)
    overlap = ops.sum(p * mask, axis=(1, 2, 3))
    size = ops.sum(p, axis=(1, 2, 3)) + ops.sum(mask, axis=(1, 2, 3))
    return bce + 1.0 - (2.0 * overlap + 1.0) / (size + 1.0)


keras.utils.set_random_seed(120)
x, y, xv, yv = make_data()
model = unet()
optimizer = keras.optimizers.AdamW(learning_rate=5e-3, weight_decay=0.02,
                                   beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
model.compile(optimizer=optimizer, loss=bce_dice)


def step_size(epoch, lr):
    return 5e-3 * 0.3 ** ((epoch >= 4) + (epoch >= 6))


model.fit(x, y, batch_size=16, epochs=7, shuffle=True, verbose=2,
          callbacks=[keras.callbacks.LearningRateScheduler(step_size)])
logits = ops.convert_to_numpy(model(xv, training=False))
p, t = logits > 0, yv > 0.5
print(f"val_loss {float(ops.mean(bce_dice(yv, logits))):.4f} val_iou {(p & t).sum() / (p | t).sum():.4f}")
