import numpy as np
import keras

keras.utils.set_random_seed(15)

rng = np.random.default_rng(8)
X = rng.uniform(0, 1, (1000, 8))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, 1000))
X = ((X - 0.5) * np.sqrt(12)).astype(np.float32)
y = ((y - y[:800].mean()) / y[:800].std()).astype(np.float32)[:, None]

model = keras.Sequential([
    keras.Input((8,)),
    keras.layers.Dense(48, activation="relu"),
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(1),
])
lr = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=5, decay_rate=0.7, staircase=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=lr), loss=keras.losses.MeanSquaredError())
model.fit(X[:800], y[:800], batch_size=40, epochs=20, verbose=0)

for part, sl in (("train", slice(0, 800)), ("test", slice(800, None))):
    err = model.predict(X[sl], verbose=0) - y[sl]
    print(part, "mse", round(float(np.mean(err ** 2)), 4))
