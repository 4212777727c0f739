import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(1)

# twenty minutes of sensor readings: unix time, temperature -> level
rng = np.random.default_rng(41)
t = np.sort(rng.uniform(0, 1200, size=1000))
temp = 20 + 2 * rng.normal(size=1000)
level = np.sin(2 * np.pi * t / 800) + 0.25 * (temp - 20) + 0.03 * rng.normal(size=1000)
X = np.stack([1_700_000_000 + t, temp], axis=1)
pick = rng.permutation(1000)
X_train, y_train = X[pick[:800]], level[pick[:800]]
X_test, y_test = X[pick[800:]], level[pick[800:]]


def dense(n_in, n_out, activation=None):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound))


model = keras.Sequential([
    keras.Input((2,)),
    layers.Normalization(axis=-1, mean=X_train.mean(0), variance=X_train.var(0)),
    dense(2, 48, "tanh"),
    dense(48, 48, "tanh"),
    dense(48, 1),
])


def half_mse(y_true, y_pred):
    return 0.5 * ops.mean(ops.square(y_true - y_pred), axis=-1)


model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=half_mse)

train_ds = tf.data.Dataset.from_tensor_slices((X_train, y_train[:, None])).shuffle(800).batch(50)

# train
model.fit(train_ds, epochs=36, verbose=0)

print("train mse %.5f" % np.mean((model.predict(X_train, verbose=0)[:, 0] - y_train) ** 2))
print("test mse %.5f" % np.mean((model.predict(X_test, verbose=0)[:, 0] - y_test) ** 2))
