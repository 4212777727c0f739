import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

x, t = load_digits(return_X_y=True)
x = (x / 8.0 - 1.0).astype("float32").reshape(-1, 8, 8, 1)
p = np.random.default_rng(12).permutation(len(x))
x, t = x[p], t[p].astype("int64")
x_train, t_train, x_test, t_test = x[:1300], t[:1300], x[1300:], t[1300:]

keras.utils.set_random_seed(300)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(32, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
model.fit(x_train, t_train, batch_size=50, epochs=15, shuffle=True, verbose=2,
          validation_data=(x_test, t_test))
