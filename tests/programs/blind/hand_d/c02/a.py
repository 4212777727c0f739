"""Residual MLP with layer normalisation on a synthetic regression task (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(101)

rng = np.random.default_rng(7)
N, D = 1300, 10
x = rng.uniform(size=(N, D))
y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
     + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(scale=0.5, size=N))
y = (y - y.mean()) / y.std()
x = ((x - 0.5) * np.sqrt(12)).astype("float32")
y = y.astype("float32")[:, None]
x_train, y_train, x_val, y_val = x[:1000], y[:1000], x[1000:], y[1000:]

WIDTH, EPOCHS, BATCH = 32, 15, 50


def block(h):
    z = layers.LayerNormalization(epsilon=1e-5)(h)
    z = layers.Dense(2 * WIDTH)(z)
    z = layers.Activation(lambda t: keras.activations.gelu(t, approximate=False))(z)
    z = layers.Dense(WIDTH)(z)
    return layers.Add()([h, z])


inp = keras.Input((D,))
h = layers.Dense(WIDTH)(inp)
h = block(h)
h = block(h)
h = layers.LayerNormalization(epsilon=1e-5)(h)
out = layers.Dense(1)(h)
model = keras.Model(inp, out)

model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=2e-3, weight_decay=0.02,
                                     beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.MeanSquaredError(),
)

# ---- training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)

print("train mse %.4f" % model.evaluate(x_train, y_train, batch_size=BATCH, verbose=0))
print("val mse   %.4f" % model.evaluate(x_val, y_val, batch_size=BATCH, verbose=0))
