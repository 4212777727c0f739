import numpy as np
import keras
from keras import layers
from keras.constraints import MaxNorm

BATCH, EPOCHS = 40, 35


def spirals(n, seed):
    rng = np.random.RandomState(seed)
    y = rng.randint(0, 3, n)
    r = rng.uniform(0.1, 1.0, n)
    a = 3.5 * r + 2 * np.pi * y / 3 + 0.2 * rng.randn(n)
    xy = np.stack([r * np.cos(a), r * np.sin(a)], 1)
    lift = rng.__class__(99).randn(2, 16)
    x = np.tanh(xy @ lift * 1.5) + 0.35 * rng.randn(n, 16)
    return x.astype("float32"), y.astype("int64")


x_train, y_train = spirals(480, 1)
x_test, y_test = spirals(600, 2)

keras.utils.set_random_seed(9)
model = keras.Sequential([
    keras.Input((16,)),
    layers.Dense(64, activation="relu", kernel_constraint=MaxNorm(1.0, axis=0)),
    layers.Dropout(0.2),
    layers.Dense(64, activation="relu", kernel_constraint=MaxNorm(1.0, axis=0)),
    layers.Dropout(0.2),
    layers.Dense(3, kernel_constraint=MaxNorm(1.0, axis=0)),
])

# training
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
fit = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(fit.history["loss"]):
    print(f"epoch {epoch + 1} loss {loss:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=600, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
