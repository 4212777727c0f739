"""Keyword spotting on spectrograms: small CNN, own training loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers


def make_data():
    """Log-mel-like pictures, 24 bands x 32 frames, of six spoken 'commands' (two gliding formants each)."""
    rng = np.random.default_rng(67)
    n, bands, frames, words = 1700, 24, 32, 6
    y = rng.integers(0, words, n)
    start = np.array([[4, 14], [10, 18], [4, 18], [12, 16], [8, 20], [6, 12]])[y]
    stop = np.array([[10, 14], [5, 18], [4, 12], [6, 21], [8, 14], [11, 19]])[y]
    begin = rng.integers(0, 10, n)
    dur = rng.integers(16, 23, n)
    pitch = rng.normal(0, 1.0, n)
    band = np.arange(bands)[None, :, None]
    frac = np.clip((np.arange(frames)[None] - begin[:, None]) / dur[:, None], 0, 1)
    voiced = (np.arange(frames)[None] >= begin[:, None]) & (np.arange(frames)[None] < (begin + dur)[:, None])
    x = np.zeros((n, bands, frames))
    for f in range(2):
        centre = start[:, f, None] + (stop - start)[:, f, None] * frac + pitch[:, None]
        x += np.exp(-0.5 * ((band - centre[:, None]) / 1.3) ** 2) * voiced[:, None]
    x = 2.0 * x + 0.7 * rng.normal(size=x.shape)
    x = x[..., None].astype("float32")
    return (x[:1300], y[:1300].astype("int32")), (x[1300:], y[1300:].astype("int32"))


class SpotterCNN(keras.Model):
    def __init__(self, classes=6, penalty=2e-4):
        super().__init__()
        reg = keras.regularizers.L2(penalty)
        self.conv1 = layers.Conv2D(8, (3, 3), padding="same", use_bias=False,
                                   kernel_initializer="he_normal", kernel_regularizer=reg)
        self.bn1 = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.conv2 = layers.Conv2D(16, (3, 3), padding="same", use_bias=False,
                                   kernel_initializer="he_normal", kernel_regularizer=reg)
        self.bn2 = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.sep = layers.SeparableConv2D(24, (3, 3), padding="same", activation="relu")
        self.pool = layers.MaxPooling2D((2, 2))
        self.drop = layers.Dropout(0.2)
        self.head = layers.Dense(classes, kernel_regularizer=reg)

    def call(self, x, training=False):
        x = self.pool(tf.nn.relu(self.bn1(self.conv1(x), training=training)))
        x = self.pool(tf.nn.relu(self.bn2(self.conv2(x), training=training)))
        x = tf.reduce_mean(self.sep(x), axis=[1, 2])
        return self.head(self.drop(x, training=training))


def data_loss(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def main():
    keras.utils.set_random_seed(909)
    (x, y), (xv, yv) = make_data()
    model = SpotterCNN()
    model(x[:2])
    opt = keras.optimizers.Nadam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)

    @tf.function
    def train_step(images, labels):
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = data_loss(labels, logits) + tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        hits = tf.reduce_sum(tf.cast(tf.argmax(logits, 1, output_type=tf.int32) == labels, tf.float32))
        return loss, hits

    rng = np.random.default_rng(909)
    for epoch in range(10):
        order = rng.permutation(len(x))
        total = correct = 0.0
        for i in range(0, len(x), 32):
            idx = order[i:i + 32]
            loss, hits = train_step(tf.constant(x[idx]), tf.constant(y[idx]))
            total += float(loss) * len(idx)
            correct += float(hits)
        print(f"epoch {epoch + 1}/10 - loss: {total / len(x):.4f} - acc: {correct / len(x):.4f}")
    logits = model(xv, training=False)
    loss = float(data_loss(yv, logits) + tf.add_n(model.losses))
    acc = float(np.mean(np.argmax(logits, 1) == yv))
    print(f"test loss (with penalty) {loss:.4f}  accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
