"""Mean and variance of a target that depends on a set of points: attention spelt out, Keras fit."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(13)

N_MAX, FEATS, DIM, HEADS, HID, DROP = 8, 3, 16, 2, 32, 0.1
BATCH, EPOCHS, LR, L2, CLIP = 64, 16, 3e-3, 1e-4, 1.0
HEAD_DIM = DIM // HEADS


def make_data(n, seed):
    r = np.random.default_rng(seed)
    size = r.integers(3, N_MAX + 1, n)
    mask = (np.arange(N_MAX)[None] < size[:, None]).astype("float32")
    x = r.standard_normal((n, N_MAX, FEATS)) * mask[:, :, None]
    w = np.exp(2.0 * x[:, :, 1]) * mask
    mean = 2.0 * (w * x[:, :, 0]).sum(1) / w.sum(1)
    std = 0.05 + 0.6 / (1 + np.exp(-4 * x[:, :, 2].sum(1) / size))
    y = mean + std * r.standard_normal(n)
    return x.astype("float32"), mask, y.astype("float32")[:, None]


x_train, m_train, y_train = make_data(1800, 0)
x_test, m_test, y_test = make_data(600, 1)


def uniform(fan_in, fan_out):
    limit = float(np.sqrt(6.0 / (fan_in + fan_out)))
    return keras.initializers.RandomUniform(-limit, limit)


class Attention(layers.Layer):
    def __init__(self):
        super().__init__()
        shape = (DIM, HEADS, HEAD_DIM)
        self.wq = self.add_weight(shape=shape, initializer=uniform(DIM, DIM), name="wq")
        self.wk = self.add_weight(shape=shape, initializer=uniform(DIM, DIM), name="wk")
        self.wv = self.add_weight(shape=shape, initializer=uniform(DIM, DIM), name="wv")
        self.wo = self.add_weight(shape=(HEADS, HEAD_DIM, DIM), initializer=uniform(DIM, DIM), name="wo")

    def call(self, x, mask):
        q = ops.einsum("bnd,dhe->bhne", x, self.wq)
        k = ops.einsum("bnd,dhe->bhne", x, self.wk)
        v = ops.einsum("bnd,dhe->bhne", x, self.wv)
        score = ops.einsum("bhne,bhme->bhnm", q, k) / np.float32(np.sqrt(HEAD_DIM))
        score = score + (mask[:, None, None, :] - 1.0) * 1e9
        att = ops.softmax(score, axis=-1)
        return ops.einsum("bhnm,bhme,hed->bnd", att, v, self.wo)


class SetRegressor(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Dense(DIM, kernel_initializer="glorot_uniform")
        self.attention = Attention()
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.drop = layers.Dropout(DROP)
        self.hidden = layers.Dense(HID, activation="relu", kernel_initializer="glorot_uniform",
                                   kernel_regularizer=keras.regularizers.L2(L2))
        self.head = layers.Dense(2, kernel_initializer="glorot_uniform")

    def call(self, inputs, training=False):
        x, mask = inputs
        h = self.embed(x)
        h = self.norm(h + self.attention(h, mask))
        m = mask[:, :, None]
        pooled = ops.sum(h * m, axis=1) / ops.sum(m, axis=1)
        return self.head(self.hidden(self.drop(pooled, training=training)))


def gaussian_nll(y, out):
    mu, logvar = out[:, :1], out[:, 1:]
    return ops.mean(0.5 * (logvar + ops.square(y - mu) * ops.exp(-logvar)), axis=-1)


model = SetRegressor()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                                    global_clipnorm=CLIP),
    loss=gaussian_nll)

# ---- training
hist = model.fit((x_train, m_train), y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(3, EPOCHS, 4):
    print(f"epoch {e + 1} loss {hist.history['loss'][e]:.4f}")
out = model.predict((x_test, m_test), batch_size=600, verbose=0)
print("test nll %.4f rmse %.4f" % (
    np.mean(0.5 * (out[:, 1:] + (y_test - out[:, :1]) ** 2 * np.exp(-out[:, 1:]))),
    np.sqrt(np.mean((y_test - out[:, :1]) ** 2))))
