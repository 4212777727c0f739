import keras
import numpy as np
from keras import layers

L, D, E, HEADS, K = 10, 8, 32, 4, 5


def make_data(seed=404, n=1536):
    # the class is carried by the token whose last feature is the largest
    rng = np.random.default_rng(seed)
    proto = rng.normal(size=(K, D - 1)) * 1.2
    cls = rng.integers(0, K, size=(n, L))
    x = np.empty((n, L, D))
    x[..., :-1] = proto[cls] + 0.5 * rng.normal(size=(n, L, D - 1))
    x[..., -1] = rng.normal(size=(n, L)) * 0.3
    pick = rng.integers(0, L, size=n)
    x[np.arange(n), pick, -1] += 2.5
    return x.astype(np.float32), cls[np.arange(n), pick].astype(np.int64)


x, y = make_data()

keras.utils.set_random_seed(58)
inp = keras.Input((L, D))
h = layers.Dense(E)(inp)
a = layers.MultiHeadAttention(num_heads=HEADS, key_dim=E // HEADS, dropout=0.0)(h, h)
z = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([h, a]))
z = layers.GlobalAveragePooling1D()(z)
model = keras.Model(inp, layers.Dense(K)(z))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x[:1280], y[:1280], batch_size=64, epochs=10, shuffle=True, verbose=2,
          validation_data=(x[1280:], y[1280:]))
