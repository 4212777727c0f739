"""U-Net in Keras trained by a custom loop (GradientTape) with a polynomial learning-rate decay."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SIZE, N_TRAIN, N_TEST = 24, 320, 80
BATCH, EPOCHS = 16, 8


def make_images():
    rng = np.random.RandomState(64)
    n = N_TRAIN + N_TEST
    rr, cc = np.mgrid[:SIZE, :SIZE]
    images = rng.normal(0, 0.25, size=(n, SIZE, SIZE))
    masks = np.zeros((n, SIZE, SIZE))
    for k in range(n):
        images[k] += rng.uniform(-0.4, 0.4) * rr / SIZE
        for _ in range(rng.randint(1, 4)):
            r, c, s = rng.randint(3, SIZE - 3), rng.randint(3, SIZE - 3), rng.randint(2, 6)
            if rng.rand() < 0.5:
                shape = (rr - r) ** 2 + (cc - c) ** 2 <= s * s
                images[k][shape] += 0.8
                masks[k][shape] = 1
            else:
                shape = (abs(rr - r) < s) & (abs(cc - c) < s) & (masks[k] == 0)
                images[k][shape] += 0.3
    images, masks = images.astype("float32"), masks.astype("float32")
    return images[:N_TRAIN], masks[:N_TRAIN], images[N_TRAIN:], masks[N_TRAIN:]


def double_conv(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu",
                          kernel_initializer="he_uniform", bias_initializer="zeros")(x)
    return x


def build_unet():
    inp = keras.Input((SIZE, SIZE, 1))
    s1 = double_conv(inp, 8)
    s2 = double_conv(layers.MaxPooling2D(2)(s1), 16)
    b = double_conv(layers.MaxPooling2D(2)(s2), 24)
    u2 = double_conv(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(b), s2]), 16)
    u1 = double_conv(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(u2), s1]), 8)
    out = layers.Conv2D(1, 1, kernel_initializer="he_uniform", bias_initializer="zeros")(u1)
    return keras.Model(inp, out)


def bce_dice(target, logits):
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits))
    p = tf.sigmoid(logits)
    dice = (2.0 * tf.reduce_sum(p * target) + 1.0) / (tf.reduce_sum(p) + tf.reduce_sum(target) + 1.0)
    return bce + 1.0 - dice


def main():
    keras.utils.set_random_seed(12)
    x, y, xt, yt = (v[..., None] for v in make_images())
    model = build_unet()
    steps_per_epoch = N_TRAIN // BATCH              # 20, nothing left over
    schedule = keras.optimizers.schedules.PolynomialDecay(
        3e-3, decay_steps=EPOCHS * steps_per_epoch, end_learning_rate=3e-4, power=0.9)
    optimizer = keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-16)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = bce_dice(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights))
        return loss

    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(N_TRAIN).batch(BATCH)
    for epoch in range(EPOCHS):
        losses = [float(train_step(xb, yb)) for xb, yb in data]
        logits = model(xt, training=False)
        pred, truth = logits.numpy() > 0, yt > 0.5
        iou = (pred & truth).sum() / (pred | truth).sum()
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}  test loss {float(bce_dice(yt, logits)):.4f}  IoU {iou:.4f}")


if __name__ == "__main__":
    main()
