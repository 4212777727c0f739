"""Keyword spotting CNN, subclassed Keras model and a hand-written training loop."""
import keras
import numpy as np
import tensorflow as tf

MELS, FRAMES, WORDS = 32, 36, 5
N_TRAIN, N_TEST, BATCH, EPOCHS = 1600, 400, 40, 5


def make_data():
    """Short 'words' made of gliding tones, as log energies of FFT bands."""
    rng = np.random.RandomState(808)
    n, hop, win = N_TRAIN + N_TEST, 64, 128
    length = hop * (FRAMES - 1) + win
    t = np.linspace(0, 1, length)
    word = rng.randint(0, WORDS, size=n)
    frames = np.arange(FRAMES)[:, None] * hop + np.arange(win)[None, :]
    window = np.hanning(win)
    spec = np.zeros((n, MELS, FRAMES, 1), dtype="float32")
    for i, w in enumerate(word):
        f0 = rng.uniform(150, 500)
        glide = [0.0, 1.0, -0.5, 0.6, 0.0][w]
        f = f0 * (1 + glide * t)
        if w == 3:
            f = f0 * (1 + 0.6 * np.minimum(t, 1 - t) * 2)
        if w == 4:
            f = f0 * (1 + 0.25 * np.sin(2 * np.pi * 3 * t))
        phase = 2 * np.pi * np.cumsum(f) / length
        voice = np.sin(phase) + 0.5 * np.sin(2 * phase)
        on = rng.uniform(0, 0.25)
        voice *= (t > on) & (t < on + 0.7)
        sig = voice + 0.5 * rng.randn(length)
        power = np.abs(np.fft.rfft(sig[frames] * window, axis=1)[:, 1:]) ** 2
        power = power[:, :64].reshape(FRAMES, MELS, 2).mean(-1)
        spec[i, :, :, 0] = np.log(power + 1e-2).T
    mean, std = spec[:N_TRAIN].mean(), spec[:N_TRAIN].std()
    spec = (spec - mean) / std
    y = np.eye(WORDS, dtype="float32")[word]
    return spec[:N_TRAIN], y[:N_TRAIN], spec[N_TRAIN:], y[N_TRAIN:]


class Block(keras.layers.Layer):
    def __init__(self, filters, size, stride, l2):
        super().__init__()
        self.conv = keras.layers.Conv2D(
            filters, size, strides=stride, padding="same", use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(),
            kernel_regularizer=keras.regularizers.L2(l2))
        self.bn = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)

    def call(self, x, training=False):
        return tf.nn.relu(self.bn(self.conv(x), training=training))


class SpeechNet(keras.Model):
    def __init__(self, l2=5e-4):
        super().__init__()
        self.block1 = Block(10, 5, 2, l2)
        self.block2 = Block(20, 3, 1, l2)
        self.pool = keras.layers.MaxPooling2D(2)
        self.flatten = keras.layers.Flatten()
        self.drop = keras.layers.Dropout(0.3)
        self.out = keras.layers.Dense(WORDS, kernel_initializer="glorot_uniform",
                                      kernel_regularizer=keras.regularizers.L2(l2))

    def call(self, x, training=False):
        h = self.block2(self.block1(x, training=training), training=training)
        h = self.flatten(self.pool(h))
        return self.out(self.drop(h, training=training))


def criterion(y, logits):
    y = y * (1.0 - 0.1) + 0.1 / WORDS
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))


def main():
    keras.utils.set_random_seed(1717)
    rng = np.random.default_rng(1717)
    x, y, tx, ty = make_data()
    model = SpeechNet()
    model(x[:1])
    optimizer = keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=True)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            logits = model(xb, training=True)
            loss = criterion(yb, logits) + tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        hits = tf.equal(tf.argmax(logits, -1), tf.argmax(yb, -1))
        return loss, tf.reduce_mean(tf.cast(hits, tf.float32))

    print("parameters", model.count_params())
    steps = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(N_TRAIN)
        log = []
        for i in range(0, N_TRAIN, BATCH):
            optimizer.learning_rate = 0.005 if steps <= 120 else 0.002 if steps <= 160 else 0.0005
            pick = order[i:i + BATCH]
            loss, acc = train_step(x[pick], y[pick])
            log.append((float(loss), float(acc)))
            steps += 1
        loss, acc = np.mean(log, axis=0)
        logits = model(tx, training=False)
        tloss = float(criterion(ty, logits) + tf.add_n(model.losses))
        tacc = np.mean(np.argmax(logits, -1) == np.argmax(ty, -1))
        print(f"epoch {epoch + 1} loss {loss:.4f} acc {acc:.4f} "
              f"| test loss {tloss:.4f} acc {tacc:.4f}")


if __name__ == "__main__":
    main()
