import keras
import numpy as np

LENGTH, UNITS, EPOCHS, BATCH = 24, 32, 14, 40


def sequences(n, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, size=(n, LENGTH))
    flag = np.zeros((n, LENGTH))
    first = rng.integers(0, LENGTH // 2, size=n)
    second = rng.integers(LENGTH // 2, LENGTH, size=n)
    rows = np.arange(n)
    flag[rows, first] = 1.0
    flag[rows, second] = 1.0
    target = values[rows, first] + values[rows, second]
    return (np.stack([values, flag], axis=2).astype("float32"),
            target[:, None].astype("float32"))


x_train, y_train = sequences(1200, 13)
x_test, y_test = sequences(400, 14)

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((LENGTH, 2)),
    keras.layers.GRU(UNITS),
    keras.layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mse",
)
hist = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1:2d} mse {value:.4f}")
print(f"test mse {model.evaluate(x_test, y_test, verbose=0):.4f}")
