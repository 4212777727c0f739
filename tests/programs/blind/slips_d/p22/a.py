import numpy as np
import keras
from keras import layers

rs = np.random.RandomState(99)
x = (rs.randn(1300, 12) * np.linspace(0.5, 3, 12) + np.linspace(-1, 1, 12)).astype("float32")
score = 0.8 * x[:, 0] * x[:, 1] + 0.4 * x[:, 5] - 0.1 * x[:, 11] ** 2 + 0.9
y = (score + 0.5 * rs.randn(1300) > 0).astype("float32")
x_tr, y_tr, x_va, y_va = x[:1000], y[:1000], x[1000:], y[1000:]

keras.utils.set_random_seed(4)


def block(units):
    return [
        layers.Dense(units, use_bias=False, kernel_initializer="he_uniform"),
        layers.BatchNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.Dropout(0.2),
    ]


model = keras.Sequential([keras.Input((12,))] + block(48) + block(24) + [
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])


def rate(epoch, lr):
    return 0.15 if epoch < 8 else 0.05


model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.15),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
h = model.fit(
    x_tr, y_tr, batch_size=64, epochs=15, shuffle=True, verbose=0,
    callbacks=[keras.callbacks.LearningRateScheduler(rate)],
)
for i, l in enumerate(h.history["loss"]):
    print(f"epoch {i:02d} train {l:.4f}")
l, a = model.evaluate(x_va, y_va, verbose=0)
print(f"valid loss {l:.4f} acc {a:.4f}")
