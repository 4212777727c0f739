import keras
import numpy as np
from keras import layers

rng = np.random.RandomState(55)
X = rng.uniform(-2, 2, (1000, 6)).astype("float32")
y = (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * X[:, 3] ** 2 + rng.normal(0, 0.1, 1000))
y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:750], y[:750], X[750:], y[750:]

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(48, kernel_initializer="he_normal"),
    layers.LayerNormalization(epsilon=1e-5),
    layers.Activation("silu"),
    layers.Dropout(0.1),
    layers.Dense(24, activation="silu", kernel_initializer="he_normal",
                 kernel_regularizer=keras.regularizers.L2(1e-3)),
    layers.Dense(1),
])
schedule = keras.optimizers.schedules.ExponentialDecay(0.005, decay_steps=100, decay_rate=0.8)
optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.01, beta_1=0.9, beta_2=0.99,
                                   epsilon=1e-7, global_clipnorm=1.0)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
model.compile(optimizer=optimizer, loss="mse")
history = model.fit(X_train, y_train, batch_size=40, epochs=25, verbose=0)
for e in (0, 8, 16, 24):
    print("epoch %d objective %.4f" % (e + 1, history.history["loss"][e]))

pred = model.predict(X_test, verbose=0)
print("test mse %.4f" % np.mean((pred - y_test) ** 2))
