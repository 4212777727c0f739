"""Sensor transformer, Keras."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(31)


T, E, HEADS = 12, 16, 2


def make_data(n=700):
    rng = np.random.default_rng(64)
    x = rng.normal(size=(n, T, 4))
    freq = rng.uniform(0.3, 1.2, size=(n, 1))
    x[:, :, 0] += 2 * np.sin(freq * np.arange(T))
    x[:, :, 1] += np.cumsum(x[:, :, 2], axis=1) * 0.3
    y = 2 * freq[:, 0] + 0.5 * x[:, -1, 1] + np.tanh(x[:, :, 3].mean(1) * 3)
    return x.astype("float32"), ((y - y.mean()) / y.std()).astype("float32")[:, None]


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.q = layers.Dense(E)
        self.k = layers.Dense(E)
        self.v = layers.Dense(E)
        self.o = layers.Dense(E)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.up = layers.Dense(4 * E)
        self.down = layers.Dense(E)

    def call(self, x):
        z = self.norm1(x)
        q, k, v = (ops.reshape(p(z), (-1, T, HEADS, E // HEADS)) for p in (self.q, self.k, self.v))
        scores = ops.einsum("bqhd,bkhd->bhqk", q, k) / (E // HEADS) ** 0.5
        a = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores, axis=-1), v)
        x = x + self.o(ops.reshape(a, (-1, T, E)))
        return x + self.down(ops.gelu(self.up(self.norm2(x))))


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Dense(E)
        self.pos = self.add_weight(shape=(T, E), initializer=keras.initializers.RandomUniform(-0.05, 0.05), name="pos")
        self.blocks = [Block() for _ in range(3)]
        self.head = layers.Dense(1)

    def call(self, x):
        x = ops.gelu(self.embed(x)) + self.pos
        for b in self.blocks:
            x = b(x)
        return self.head(ops.mean(x, axis=1))


x, y = make_data()
model = Model()
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9), loss="mean_squared_error")
model.fit(x[:560], y[:560], batch_size=28, epochs=10, shuffle=True, verbose=2, validation_data=(x[560:], y[560:]))
