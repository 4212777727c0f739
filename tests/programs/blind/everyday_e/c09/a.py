"""Predictive maintenance, two outputs from one LSTM: compile() and fit()."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(100)


def make_machines(n, length=16, seed=0):
    """Sensor histories; targets: kind of wear (0, 1, 2) and remaining life in weeks / 10."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    life = rng.uniform(0.2, 3.0, n)
    t = np.arange(length)
    wear = np.exp(-(life[:, None] + (length - 1 - t) * 0.12))
    vibration = 0.3 + wear * np.where(kind == 1, 2.0, 0.6)[:, None]
    heat = 0.2 + wear * np.where(kind == 2, 1.8, 0.5)[:, None] + 0.1 * np.sin(t / 2)
    current = 0.5 + 0.8 * wear
    x = np.stack([vibration, heat, current], axis=-1) + rng.normal(0, 0.07, (n, length, 3))
    return x.astype("float32"), kind.astype("int64"), life.astype("float32")[:, None]


x_train, kind_train, life_train = make_machines(1500, seed=50)
x_test, kind_test, life_test = make_machines(500, seed=51)
mean, std = x_train.mean((0, 1)), x_train.std((0, 1))
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
inputs = keras.Input(shape=x_train.shape[1:])
features = layers.LSTM(20)(inputs)
features = layers.Dropout(0.2)(features)
shared = layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3))(features)
kind = layers.Dense(3, activation="softmax", name="kind")(shared)
life = layers.Dense(1, name="life")(shared)

model = keras.Model(inputs, {"kind": kind, "life": life})
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005, global_clipnorm=1.0),
    loss={"kind": "sparse_categorical_crossentropy", "life": "mse"},
    loss_weights={"kind": 1.0, "life": 0.5},
    metrics={"kind": "accuracy", "life": "mae"},
)
model.fit(
    x_train,
    {"kind": kind_train, "life": life_train},
    batch_size=50,
    epochs=10,
    verbose=2,
)
pred = model.predict(x_test, verbose=0)
ce = -np.mean(np.log(pred["kind"][np.arange(len(kind_test)), kind_test]))
acc = np.mean(pred["kind"].argmax(1) == kind_test)
mse = np.mean((pred["life"] - life_test) ** 2)
print(f"test: kind ce {ce:.4f}  accuracy {acc:.4f}  life mse {mse:.4f}")
