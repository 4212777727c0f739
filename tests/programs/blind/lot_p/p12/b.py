import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(31)


def images(n, seed):
    rng = np.random.default_rng(seed)
    g = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    yy, xx = np.meshgrid(g, g, indexing="ij")
    out = np.zeros((n, 16, 16))
    for _ in range(4):
        fx, fy = rng.integers(-3, 4, size=(2, n, 1, 1))
        out += rng.normal(size=(n, 1, 1)) * np.sin(fx * xx + fy * yy + rng.uniform(0, 6.3, (n, 1, 1)))
    high = out.astype("float32")
    return high[:, ::2, ::2], high


lo_train, hi_train = (a[..., None] for a in images(400, 10))
lo_test, hi_test = (a[..., None] for a in images(150, 20))

net = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
])
net.compile(optimizer=keras.optimizers.Adam(0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss="mse")

pairs = tf.data.Dataset.from_tensor_slices((lo_train, hi_train)).shuffle(400).batch(20)

# train
net.fit(pairs, epochs=20, verbose=0)

print("train mse %.5f" % net.evaluate(lo_train, hi_train, verbose=0))
print("test mse %.5f" % net.evaluate(lo_test, hi_test, verbose=0))
