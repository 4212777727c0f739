import numpy as np
import tensorflow as tf
import keras
from keras.layers import Dense, BatchNormalization, ReLU

keras.utils.set_random_seed(5)

r = np.random.default_rng(2024)
X = r.normal(size=(620, 10)).astype("float32")
Y = (0.8 * X[:, :1] + 0.6 * X[:, 1:2] + 0.7 * X[:, 2:3] - 0.5 * np.abs(X[:, 3:4])
     + 0.05 * r.normal(size=(620, 1))).astype("float32")
Xtr, Ytr, Xte, Yte = X[:320], Y[:320], X[320:], Y[320:]


def block(n_out):
    return [Dense(n_out, use_bias=False), BatchNormalization(epsilon=1e-3, momentum=0.95), ReLU()]


net = keras.Sequential([
    keras.Input((10,)),
    *block(32),
    *block(32),
    *block(32),
    *block(32),
    Dense(1),
])
net.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02), loss="mse")

batches = tf.data.Dataset.from_tensor_slices((Xtr, Ytr)).shuffle(320).batch(5)

# train
net.fit(batches, epochs=9, verbose=0)

print(f"train mse {net.evaluate(Xtr, Ytr, verbose=0):.5f}")
print(f"test mse {net.evaluate(Xte, Yte, verbose=0):.5f}")
