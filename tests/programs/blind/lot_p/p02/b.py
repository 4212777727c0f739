import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(9)

gen = np.random.default_rng(77)
x = gen.uniform(-2, 2, size=(800, 6)).astype(np.float32)
y = (6 * np.sin(1.5 * x[:, 0]) + 4 * x[:, 1] * x[:, 2] + 3 * x[:, 3] ** 2
     + 2 * x[:, 4] + gen.normal(size=800)).astype(np.float32)[:, None]
xt, yt, xv, yv = x[:560], y[:560], x[560:], y[560:]

model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(40, activation="tanh"),
    layers.Dense(40, activation="tanh"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.005), loss="mean_squared_error")
plateau = keras.callbacks.ReduceLROnPlateau(
    monitor="val_loss", mode="min", factor=0.5, patience=2, min_delta=0.1, cooldown=0, min_lr=5e-4)

train_ds = tf.data.Dataset.from_tensor_slices((xt, yt)).shuffle(560).batch(40)

# train
model.fit(train_ds, epochs=40, validation_data=(xv, yv), callbacks=[plateau], verbose=0)

print("train mse %.4f" % model.evaluate(xt, yt, verbose=0))
print("val mse %.4f" % model.evaluate(xv, yv, verbose=0))
