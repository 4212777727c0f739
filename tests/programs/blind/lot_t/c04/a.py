"""Wide and deep click model with two inputs, model.fit."""
import numpy as np
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(1)


def clicks(n=1100):
    rng = np.random.default_rng(70)
    user = rng.normal(size=(n, 10)).astype("float32")
    item = rng.normal(size=(n, 6)).astype("float32")
    cross = (user[:, :6] * item).sum(axis=1)
    logit = 0.9 * cross + 0.8 * user[:, 7] - 0.6 * item[:, 2]
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-logit))).astype("float32")[:, None]
    return user, item, y


def build():
    user = keras.Input((10,), name="user")
    item = keras.Input((6,), name="item")
    both = layers.Concatenate()([user, item])
    u = layers.Dense(16, kernel_regularizer=regularizers.L2(1e-3))(user)
    i = layers.Dense(16, kernel_regularizer=regularizers.L2(1e-3))(item)
    deep = layers.Multiply()([u, i])
    deep = layers.Concatenate()([deep, both])
    deep = layers.Dense(32, use_bias=False, kernel_regularizer=regularizers.L2(1e-3))(deep)
    deep = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(deep)
    deep = layers.ReLU()(deep)
    deep = layers.Dropout(0.1)(deep)
    out = layers.Add()([layers.Dense(1)(deep), layers.Dense(1, use_bias=False)(both)])
    return keras.Model([user, item], out)


user, item, y = clicks()
model = build()
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    jit_compile=False,
)
hist = model.fit([user[:900], item[:900]], y[:900], batch_size=64, epochs=15, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"], 1):
    print(f"epoch {e} loss {v:.4f}")

logits = model.predict([user[900:], item[900:]], verbose=0)
print("test accuracy", float(np.mean((logits > 0) == (y[900:] > 0.5))))
