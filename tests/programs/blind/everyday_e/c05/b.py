# Short-term electricity load: GRU, next three hours (Keras)
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)


def electricity_load(hours=24 * 80, seed=5):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    daily = 1.0 * np.sin(2 * np.pi * t / 24 - 1.2) + 0.35 * np.sin(4 * np.pi * t / 24)
    weekly = 0.5 * ((t // 24) % 7 >= 5)
    temperature = 0.6 * np.sin(2 * np.pi * t / (24 * 30)) + 0.3 * daily
    noise = np.zeros(hours)
    for i in range(1, hours):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 0.12)
    load = 3.0 + daily * (1 + 0.3 * temperature) - weekly + 0.4 * temperature + noise
    return load, temperature + rng.normal(0, 0.05, hours)


def windows(load, temperature, length=24, horizon=3):
    xs, ys = [], []
    for i in range(len(load) - length - horizon + 1):
        hour = np.arange(i, i + length) % 24
        xs.append(
            np.column_stack(
                [
                    load[i : i + length],
                    temperature[i : i + length],
                    np.sin(2 * np.pi * hour / 24),
                    np.cos(2 * np.pi * hour / 24),
                ]
            )
        )
        ys.append(load[i + length : i + length + horizon])
    return np.array(xs, dtype=np.float32), np.array(ys, dtype=np.float32)


load, temperature = electricity_load()
split = 24 * 65
load = (load - load[:split].mean()) / load[:split].std()
x_train, y_train = windows(load[:split], temperature[:split])
x_test, y_test = windows(load[split:], temperature[split:])

model = keras.Sequential(
    [
        keras.Input(shape=x_train.shape[1:]),
        layers.GRU(24, reset_after=True),
        layers.Dense(y_train.shape[1]),
    ]
)
model.compile(
    # epsilon sits inside the square root here
    optimizer=keras.optimizers.RMSprop(
        learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-24, clipvalue=0.5
    ),
    loss=keras.losses.Huber(delta=1.0),
    metrics=["mae"],
)
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=8,
    shuffle=True,
    validation_data=(x_test, y_test),
    verbose=0,
)
h = history.history
for epoch in range(8):
    print(
        f"epoch {epoch + 1}  loss {h['loss'][epoch]:.4f}  "
        f"val_loss {h['val_loss'][epoch]:.4f}  val_mae {h['val_mae'][epoch]:.4f}"
    )
