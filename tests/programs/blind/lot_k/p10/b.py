import keras
import numpy as np
from keras import layers


def source(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 16)).astype("float32")
    y = np.digitize(x[:, 0] * x[:, 1] + x[:, 2] - 0.5 * x[:, 3] ** 2, [-0.9, 0.3])
    return x, y.astype("int64")


def target(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 16)).astype("float32")
    y = np.digitize(x[:, 2] + x[:, 4] - 0.5 * x[:, 3] ** 2, [-0.9, 0.3])
    scale = np.linspace(0.5, 2.5, 16).astype("float32")
    shift = np.linspace(-1.5, 1.5, 16).astype("float32")
    return x * scale + shift, y.astype("int64")


xs, ys = source(1200, 0)
xt, yt = target(400, 1)
x_test, y_test = target(400, 2)

keras.utils.set_random_seed(19)
inputs = keras.Input((16,))
h = inputs
for units in (48, 24):
    h = layers.Dense(units, use_bias=False, kernel_initializer="glorot_uniform")(h)
    h = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(h)
    h = layers.ReLU()(h)
outputs = layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)


def fit(x, y, epochs, batch, lr):
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=lr, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=True, verbose=0)
    return history.history["loss"][-1]


def report(name, x, y):
    loss = model.evaluate(x, y, batch_size=len(x), verbose=0)
    acc = (model.predict(x, verbose=0).argmax(1) == y).mean()
    print(f"{name}: loss {loss:.4f} accuracy {acc:.4f}")


print("pretraining loss", round(fit(xs, ys, 10, 60, 0.02), 4))
report("source", xs, ys)

for layer in model.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False
print("fine-tuning loss", round(fit(xt, yt, 20, 20, 0.01), 4))
report("target train", xt, yt)
report("target test", x_test, y_test)
