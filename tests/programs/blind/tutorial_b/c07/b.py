"""Segment noisy shapes with a small U-Net, Keras with its own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(14)


def make_shapes(n, size, seed):
    rng = np.random.RandomState(seed)
    yy, xx = np.mgrid[:size, :size]
    images, masks = [], []
    for _ in range(n):
        cy, cx = rng.uniform(5, size - 5, 2)
        r = rng.uniform(3, 6)
        if rng.rand() < 0.5:
            mask = (yy - cy) ** 2 + (xx - cx) ** 2 < r ** 2
        else:
            mask = (abs(yy - cy) < r) & (abs(xx - cx) < r)
        slope = rng.uniform(-0.5, 0.5) * (xx / size)
        images.append(mask * rng.uniform(0.6, 1.2) + slope + 0.4 * rng.randn(size, size))
        masks.append(mask)
    return np.array(images, "float32"), np.array(masks, "float32")


# data
images, masks = make_shapes(360, 24, 6)
images, masks = images[..., None], masks[..., None]
x_train, y_train, x_test, y_test = images[:300], masks[:300], images[300:], masks[300:]


def block(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu",
                          kernel_initializer="he_uniform", bias_initializer="zeros")(x)
    return x


def seg_loss(logits, mask):
    bce = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=mask, logits=logits))
    p = tf.sigmoid(logits)
    overlap = 2.0 * tf.reduce_sum(p * mask) + 1.0
    dice = 1.0 - overlap / (tf.reduce_sum(p) + tf.reduce_sum(mask) + 1.0)
    return bce + dice


class SegmentationModel(keras.Model):
    def train_step(self, data):
        x, mask = data
        with tf.GradientTape() as tape:
            loss = seg_loss(self(x, training=True), mask)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return {"loss": loss}


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logits = self.model(x_test, training=False)
        hit, true = logits.numpy() > 0, y_test > 0.5
        iou = (hit & true).sum() / (hit | true).sum()
        print(f"epoch {epoch + 1} test {float(seg_loss(logits, y_test)):.4f} iou {iou:.4f}")


inputs = keras.Input((24, 24, 1))
d1 = block(inputs, 8)
d2 = block(layers.MaxPooling2D(2)(d1), 16)
b = block(layers.MaxPooling2D(2)(d2), 32)
u2 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(b), d2]), 16)
u1 = block(layers.Concatenate()([layers.UpSampling2D(2, interpolation="nearest")(u2), d1]), 8)
outputs = layers.Conv2D(1, 1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(u1)
model = SegmentationModel(inputs, outputs)
model.compile(optimizer=keras.optimizers.AdamW(learning_rate=2e-3, beta_1=0.9, beta_2=0.999,
                                               epsilon=1e-15, weight_decay=0.01))

# training
model.fit(x_train, y_train, batch_size=16, epochs=8, shuffle=True, verbose=0,
          callbacks=[Report()])
