import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(12)


def reflectance(n, seed):
    """Twelve band reflectances (fractions) and a vegetation index to predict."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(0, 1, (n, 4))
    mix = np.random.default_rng(77).normal(0, 1, (4, 12))
    scale = np.geomspace(0.006, 0.03, 12)
    bands = 0.15 + scale * (latent @ mix / 2 + 0.2 * rng.normal(0, 1, (n, 12)))
    target = np.sin(1.5 * latent[:, 0]) + 0.5 * latent[:, 1] * latent[:, 2] + 0.3 * latent[:, 3]
    return bands.astype("float32"), target[:, None].astype("float32")


x_train, y_train = reflectance(1500, 0)
x_test, y_test = reflectance(500, 1)

model = keras.Sequential([
    keras.Input((12,)),
    layers.BatchNormalization(momentum=0.9),
    layers.Dense(48, activation="tanh"),
    layers.Dense(24, activation="tanh"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9),
    loss=keras.losses.MeanSquaredError(),
)
log = model.fit(x_train, y_train, batch_size=50, epochs=15, shuffle=True, verbose=0)
for k, v in enumerate(log.history["loss"], 1):
    print("epoch %2d  mse %.4f" % (k, v))
print("test mse %.4f" % model.evaluate(x_test, y_test, verbose=0))
