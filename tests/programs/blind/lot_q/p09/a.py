"""Transfer: a fixed feature block with batch normalisation, a new head on top. Keras."""
import numpy as np
import keras
from keras import layers

D, F, K = 12, 48, 3


def feature_block():
    """Weights of the block and the statistics of its pre-activations on the first domain."""
    rng = np.random.default_rng(1)
    w = rng.normal(size=(D, F)) / np.sqrt(D)
    b = 0.1 * rng.normal(size=F)
    first_domain = rng.normal(size=(5000, D))
    pre = first_domain @ w + b
    return [a.astype("float32") for a in (w, b, pre.mean(0), pre.var(0))]


def second_domain():
    rng = np.random.default_rng(2)
    n = 1200
    scale = np.exp(0.7 * rng.normal(size=D))
    x = 0.8 + scale * rng.normal(size=(n, D))
    u = x[:, :6].sum(1) + 0.5 * x[:, 6] * x[:, 7]
    y = np.digitize(u, np.quantile(u, [1 / 3, 2 / 3]))
    return x.astype("float32"), y.astype("int64")


x, y = second_domain()
x_train, y_train, x_test, y_test = x[:960], y[:960], x[960:], y[960:]

keras.utils.set_random_seed(4)
base = layers.Dense(F)
norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
model = keras.Sequential([
    keras.Input((D,)), base, norm, layers.ReLU(),
    layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
w, b, mean, var = feature_block()
base.set_weights([w, b])
norm.set_weights([np.ones(F, "float32"), np.zeros(F, "float32"), mean, var])
base.trainable = False
norm.trainable = False

model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=15, shuffle=True, verbose=2)
print("test loss %.4f accuracy %.4f" % tuple(model.evaluate(x_test, y_test, verbose=0)))
