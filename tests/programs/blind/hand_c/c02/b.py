"""Which bump comes first?  Transformer block with attention and layer norm spelled out (TensorFlow)."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)

T, F_IN, D, HEADS, HIDDEN = 16, 6, 32, 4, 64


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T, F_IN), dtype="float32")
    mask = np.zeros((n, T), dtype="float32")
    y = np.zeros(n, dtype="float32")
    for i in range(n):
        length = rng.randint(8, T + 1)
        x[i, :length] = 0.4 * rng.randn(length, F_IN)
        p, q = rng.choice(length, 2, replace=False)
        x[i, p, 0] += 3.0
        x[i, q, 1] += 3.0
        mask[i, :length] = 1.0
        y[i] = float(p < q)
    return x, mask, y


x_train, m_train, y_train = make_data(1280, 1)
x_test, m_test, y_test = make_data(400, 2)


class HandNorm(keras.layers.Layer):
    """Normalise the last axis; biased variance, epsilon inside the root."""

    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        mu = tf.reduce_mean(x, axis=-1, keepdims=True)
        centred = x - mu
        var = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        return centred / tf.sqrt(var + 1e-5) * self.gain + self.shift


class HandAttention(keras.layers.Layer):
    def build(self, shape):
        def square(name):
            return self.add_weight(shape=(D, D), initializer="glorot_uniform", name=name)
        self.wq, self.wk, self.wv, self.wo = (square(n) for n in ("wq", "wk", "wv", "wo"))

    def split(self, t):
        b = tf.shape(t)[0]
        return tf.transpose(tf.reshape(t, (b, T, HEADS, D // HEADS)), (0, 2, 1, 3))

    def call(self, x, mask):
        q = self.split(tf.matmul(x, self.wq))
        k = self.split(tf.matmul(x, self.wk))
        v = self.split(tf.matmul(x, self.wv))
        scores = tf.matmul(q, k, transpose_b=True) / np.sqrt(D // HEADS).astype("float32")
        scores += (1.0 - mask[:, None, None, :]) * -1e9
        scores -= tf.reduce_max(scores, axis=-1, keepdims=True)
        weights = tf.exp(scores)
        weights /= tf.reduce_sum(weights, axis=-1, keepdims=True)
        out = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
        return tf.matmul(tf.reshape(out, (tf.shape(x)[0], T, D)), self.wo)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.inp = keras.layers.Dense(D)
        self.norm1, self.attn = HandNorm(), HandAttention()
        self.norm2 = HandNorm()
        self.ff1 = keras.layers.Dense(HIDDEN)
        self.ff2 = keras.layers.Dense(D)
        self.head = keras.layers.Dense(1)
        pe = np.zeros((T, D), dtype="float32")
        for pos in range(T):
            for i in range(0, D, 2):
                angle = pos / 10000 ** (i / D)
                pe[pos, i], pe[pos, i + 1] = np.sin(angle), np.cos(angle)
        self.pe = tf.constant(pe)

    def call(self, inputs):
        x, mask = inputs
        h = self.inp(x) + self.pe
        h = h + self.attn(self.norm1(h), mask)
        h = h + self.ff2(tf.nn.gelu(self.ff1(self.norm2(h)), approximate=False))
        m = mask[:, :, None]
        pooled = tf.reduce_sum(h * m, axis=1) / tf.reduce_sum(m, axis=1)
        return tf.squeeze(self.head(pooled), -1)


model = Net()
model((x_train[:2], m_train[:2]))
optimizer = keras.optimizers.AdamW(learning_rate=2e-3, beta_1=0.9, beta_2=0.999,
                                   epsilon=1e-12, weight_decay=0.01)
optimizer.build(model.trainable_variables)


def bce(z, y):
    return tf.reduce_mean(tf.maximum(z, 0.0) - z * y + tf.math.log1p(tf.exp(-tf.abs(z))))


@tf.function
def train_step(xb, mb, yb):
    with tf.GradientTape() as tape:
        loss = bce(model((xb, mb), training=True), yb)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


if __name__ == "__main__":
    for epoch in range(10):
        perm = np.random.permutation(len(x_train))
        losses = []
        for s in range(0, len(perm), 40):
            i = perm[s:s + 40]
            losses.append(float(train_step(tf.constant(x_train[i]), tf.constant(m_train[i]),
                                           tf.constant(y_train[i]))))
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
    z = model((x_test, m_test), training=False)
    acc = np.mean((z.numpy() > 0) == (y_test > 0.5))
    print(f"test loss {float(bce(z, y_test)):.4f} accuracy {acc:.4f}")
