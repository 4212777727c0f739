"""House-price-like regression with accumulated micro-batches."""
import numpy as np
import keras

MICRO, ACCUM, EPOCHS, LR = 16, 4, 8, 0.01


def houses(n, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 12))
    price = (1.2 * z[:, 0] - 0.8 * z[:, 1] + np.sin(1.5 * z[:, 2]) + 0.6 * z[:, 3] * z[:, 4]
             + 0.5 * np.abs(z[:, 5]) + 0.1 * rng.normal(size=n))
    return z.astype("float32"), ((price - 0.4) / 1.8).astype("float32")[:, None]


Xtr, ytr = houses(1024, 100)
Xte, yte = houses(512, 101)

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((12,)),
    keras.layers.Dense(32, activation="tanh"),
    keras.layers.Dense(16, activation="tanh"),
    keras.layers.Dense(1),
])

# training
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR, gradient_accumulation_steps=ACCUM),
    loss="mse",
)
log = model.fit(Xtr, ytr, batch_size=MICRO, epochs=EPOCHS, shuffle=True, verbose=0)
for i, v in enumerate(log.history["loss"]):
    print(f"epoch {i + 1} train mse {v:.4f}")
print(f"test mse {model.evaluate(Xte, yte, batch_size=512, verbose=0):.4f}")
