"""Tabular regression: LayerNorm MLP in Keras with library layers and the library's warm-up cosine schedule."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(0)

rng = np.random.default_rng(42)
X = rng.normal(size=(1600, 12)).astype("float32")
target = (2.0 * np.sin(1.5 * X[:, 0]) + X[:, 1] * X[:, 2] - 0.7 * np.abs(X[:, 3]) + 0.5 * X[:, 4]
          + 0.2 * rng.standard_t(3, size=1600))
y = target.astype("float32").reshape(-1, 1)
mean, std = y[:1280].mean(), y[:1280].std()
y = (y - mean) / std
X_train, y_train, X_val, y_val = X[:1280], y[:1280], X[1280:], y[1280:]

EPOCHS = 20
BATCH = 64
STEPS = EPOCHS * (len(X_train) // BATCH)   # 400
WARMUP = 40


def block(x, units):
    x = layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.Activation("gelu")(x)
    return layers.Dropout(0.1)(x)


inputs = keras.Input((12,))
h = block(inputs, 64)
h = block(h, 64)
outputs = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)

schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=0.0, decay_steps=STEPS - WARMUP, alpha=0.05,
    warmup_target=4e-3, warmup_steps=WARMUP)
# tiny epsilon: where it is added then makes no difference
optimizer = keras.optimizers.Adam(learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
model.compile(optimizer=optimizer, loss=keras.losses.Huber(delta=1.0))

# training
model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

print("validation huber %.4f" % model.evaluate(X_val, y_val, verbose=0))
pred = model.predict(X_val, verbose=0)
print("validation rmse %.4f" % float(np.sqrt(np.mean((pred - y_val) ** 2))))
