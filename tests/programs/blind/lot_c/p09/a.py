import numpy as np
import keras
from keras import layers


def backbone():
    """Principal directions and normalisation statistics of the source domain."""
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(10, 10)) / np.sqrt(10)
    source = rng.normal(size=(4000, 10)) @ mix
    _, _, vt = np.linalg.svd(source - source.mean(0), full_matrices=False)
    proj = vt.T
    z = source @ proj
    return mix, proj.astype("float32"), z.mean(0).astype("float32"), z.var(0).astype("float32")


mix, proj, mean, var = backbone()
rng = np.random.default_rng(2)
latent = rng.normal(size=(1000, 10))
site = rng.normal(size=(1000, 1))
x = ((0.7 * latent + 0.8 * site + 0.6) @ mix).astype("float32")
y = (np.tanh(latent[:, 0] + site[:, 0]) + 0.6 * latent[:, 1] + 0.8 * site[:, 0])[:, None].astype("float32")
x_train, y_train, x_test, y_test = x[:768], y[:768], x[768:], y[768:]

keras.utils.set_random_seed(30)
features = layers.Dense(10, use_bias=False)
norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
model = keras.Sequential([
    keras.Input((10,)),
    features,
    norm,
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])
features.set_weights([proj])
norm.set_weights([np.ones(10, "float32"), np.zeros(10, "float32"), mean, var])
features.trainable = False
norm.trainable = False

model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9), loss="mse")
history = model.fit(x_train, y_train, batch_size=8, epochs=5, shuffle=True, verbose=0)
for epoch, v in enumerate(history.history["loss"]):
    print(f"epoch {epoch} train {v:.4f}")
print(f"train mse {model.evaluate(x_train, y_train, verbose=0):.4f}")
print(f"test mse {model.evaluate(x_test, y_test, verbose=0):.4f}")
