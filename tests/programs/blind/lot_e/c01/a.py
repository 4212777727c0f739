import numpy as np
import keras
from keras import layers

rng = np.random.RandomState(3)
X = rng.rand(1200, 8).astype("float32") * 2 - 1
y = (np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.7 * X[:, 3] ** 2 - X[:, 4]
     + 0.1 * rng.randn(1200))
y[rng.rand(1200) < 0.05] += 4.0
y = y.astype("float32")[:, None]
X_train, y_train = X[:960], y[:960]
X_test, y_test = X[960:], y[960:]

model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(48, activation="elu", kernel_initializer=keras.initializers.GlorotUniform(11)),
    layers.Dense(24, activation="elu", kernel_initializer=keras.initializers.GlorotUniform(12)),
    layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(13)),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1,
                                       epsilon=1e-12),
    loss=keras.losses.Huber(delta=0.5),
)
hist = model.fit(X_train, y_train, batch_size=40, epochs=15, shuffle=True, verbose=0)
for i, l in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1:2d} loss {l:.5f}")
pred = model.predict(X_test, verbose=0)
print("test MAE", float(np.mean(np.abs(pred - y_test))))
