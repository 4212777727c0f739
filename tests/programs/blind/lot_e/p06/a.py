import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(30)

rng = np.random.RandomState(44)
n, steps = 800, 16
seqs = 0.3 * rng.randn(n, steps, 3)
goal = 2 + 0.5 * seqs[:, :, 0].sum(axis=1) + np.abs(seqs[:, -6:, 1]).mean(axis=1)
seqs = seqs.astype("float32")
goal = goal.astype("float32")[:, None]
s_train, g_train, s_test, g_test = seqs[:640], goal[:640], seqs[640:], goal[640:]

model = keras.Sequential([
    keras.Input((steps, 3)),
    layers.LSTM(16),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss="mean_squared_error")
pipeline = tf.data.Dataset.from_tensor_slices((s_train, g_train)).shuffle(640).batch(32)
out = model.fit(pipeline, epochs=20, verbose=0)
for i, v in enumerate(out.history["loss"]):
    print(f"{i:2d} {v:.5f}")
p = model.predict(s_test, verbose=0)
print("test mse", float(((p - g_test) ** 2).mean()))
