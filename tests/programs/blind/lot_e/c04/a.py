import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(1)

rs = np.random.RandomState(12)
N, T = 800, 16
t = np.arange(T)
freq = rs.uniform(0.3, 1.2, (N, 1))
phase = rs.uniform(0, 2 * np.pi, (N, 1))
wave = np.sin(freq * t + phase) + 0.1 * rs.randn(N, T)
trend = rs.uniform(-0.05, 0.05, (N, 1)) * t
seq = np.stack([wave, trend], axis=-1).astype("float32")
target = (np.sin(freq * T + phase) + 10 * trend[:, 1:2]).astype("float32")
x_tr, y_tr, x_va, y_va = seq[:640], target[:640], seq[640:], target[640:]

inputs = keras.Input((T, 2))
h = layers.LSTM(20)(inputs)
outputs = layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9), loss="mse")
train_ds = tf.data.Dataset.from_tensor_slices((x_tr, y_tr)).shuffle(len(x_tr)).batch(32)
h = model.fit(train_ds, epochs=20, verbose=0)
print("train loss by epoch:", [round(v, 4) for v in h.history["loss"]])
err = model.predict(x_va, verbose=0) - y_va
print("validation mse: %.5f" % float(np.mean(err ** 2)))
