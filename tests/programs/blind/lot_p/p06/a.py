import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(4)
keras.config.set_epsilon(0.05)

rng = np.random.default_rng(8)
X = rng.uniform(-1, 1, size=(1000, 8)).astype("float32")
rate = np.exp(1.2 * X[:, 0] - X[:, 1] + 0.8 * X[:, 2] * X[:, 3])
demand = rate * np.exp(0.1 * rng.normal(size=1000))
holiday = rng.random(1000) < 0.25
demand[holiday] *= 0.01
X = np.concatenate([X, holiday[:, None].astype("float32")], 1)
demand = demand.astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:768], demand[:768], X[768:], demand[768:]

model = keras.Sequential([
    keras.Input((9,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanAbsolutePercentageError())

dataset = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(768).batch(64)

# train
model.fit(dataset, epochs=30, verbose=0)

for name, xs, ys in (("train", X_train, y_train), ("test", X_test, y_test)):
    pred = model.predict(xs, batch_size=256, verbose=0)
    print(name, "mae %.4f  mean prediction %.4f" % (np.abs(pred - ys).mean(), pred.mean()))
