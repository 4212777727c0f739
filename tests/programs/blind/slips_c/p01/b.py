import keras
import numpy as np

keras.utils.set_random_seed(70)

N_CLASSES, STEPS = 3, 28


def make_waves(n, seed):
    """Sine, square and sawtooth with random phase and period, plus noise."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, N_CLASSES, n)
    period = rng.uniform(10, 18, n)[:, None]
    phase = rng.uniform(0, 1, n)[:, None]
    turn = np.arange(STEPS)[None, :] / period + phase
    sine = np.sin(2 * np.pi * turn)
    square = np.sign(sine)
    saw = 2 * (turn % 1.0) - 1
    clean = np.choose(kind[:, None], [sine, square, saw])
    wave = clean + rng.normal(0, 0.15, clean.shape)
    return wave.astype("float32")[:, :, None], kind


x_train, y_train = make_waves(1200, seed=14)
x_test, y_test = make_waves(500, seed=15)
t_train = keras.utils.to_categorical(y_train, N_CLASSES)
t_test = keras.utils.to_categorical(y_test, N_CLASSES)

model = keras.Sequential(
    [
        keras.Input((STEPS, 1)),
        keras.layers.GRU(24, reset_after=True),
        keras.layers.Dense(N_CLASSES),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
)

# ---- training
model.fit(x_train, t_train, batch_size=64, epochs=15, verbose=2)
loss, accuracy = model.evaluate(x_test, t_test, verbose=0)
print(f"test loss {loss:.4f}")
print(f"test accuracy {accuracy:.4f}")
