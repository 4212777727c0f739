"""A small U-Net that segments blobs (Keras, GradientTape): cross-entropy plus Dice, cosine schedule."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

BATCH, EPOCHS = 16, 10


def make_images(n=320, size=32):
    """Bright blobs (the mask) on a background with stripes and noise."""
    rng = np.random.default_rng(31)
    yy, xx = np.mgrid[0:size, 0:size]
    images = np.zeros((n, size, size, 1), dtype="float32")
    masks = np.zeros((n, size, size, 1), dtype="float32")
    for k in range(n):
        mask = np.zeros((size, size), dtype=bool)
        for _ in range(rng.integers(1, 4)):
            cy, cx = rng.uniform(5, size - 5, 2)
            ry, rx = rng.uniform(3, 7, 2)
            mask |= ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1
        angle = rng.uniform(0, np.pi)
        stripes = 0.5 * np.sin((np.cos(angle) * xx + np.sin(angle) * yy) * rng.uniform(0.4, 1.2))
        images[k, ..., 0] = 0.8 * mask + stripes + rng.normal(0, 0.3, (size, size))
        masks[k, ..., 0] = mask
    return images[:256], masks[:256], images[256:], masks[256:]


def block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.GroupNormalization(groups=4, epsilon=1e-5)(x)
    return layers.ReLU()(x)


def unet():
    inputs = keras.Input((32, 32, 1))
    d1 = block(inputs, 8)
    d2 = block(layers.MaxPooling2D(2)(d1), 16)
    b = block(layers.MaxPooling2D(2)(d2), 32)
    u2 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(b), d2]), 16)
    u1 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(u2), d1]), 16)
    return keras.Model(inputs, layers.Conv2D(1, 1)(u1))


def segmentation_loss(logits, mask):
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits))
    p = tf.sigmoid(logits)
    inter = tf.reduce_sum(p * mask, axis=[1, 2, 3])
    dice = (2 * inter + 1) / (tf.reduce_sum(p, axis=[1, 2, 3]) + tf.reduce_sum(mask, axis=[1, 2, 3]) + 1)
    return bce + tf.reduce_mean(1 - dice)


def main():
    keras.utils.set_random_seed(6)
    xtr, mtr, xte, mte = make_images()
    model = unet()
    steps = EPOCHS * (len(xtr) // BATCH)
    opt = keras.optimizers.Adam(
        learning_rate=keras.optimizers.schedules.CosineDecay(0.01, decay_steps=steps, alpha=0.0),
        beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    data = (tf.data.Dataset.from_tensor_slices((xtr, mtr))
            .shuffle(len(xtr), reshuffle_each_iteration=True).batch(BATCH))

    @tf.function
    def train_step(x, m):
        with tf.GradientTape() as tape:
            loss = segmentation_loss(model(x, training=True), m)
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(EPOCHS):
        losses = [float(train_step(x, m)) for x, m in data]
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}")

    z = model(xte, training=False)
    pred, true = z.numpy() > 0, mte > 0.5
    print(f"test loss {float(segmentation_loss(z, mte)):.4f} "
          f"IoU {(pred & true).sum() / (pred | true).sum():.4f}")


if __name__ == "__main__":
    main()
