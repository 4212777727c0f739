import numpy as np
import keras
from keras import layers, regularizers

BATCH, EPOCHS = 40, 20
LR, GAMMA, EVERY = 0.3, 0.8, 5


def rings(n=1000, seed=8):
    rng = np.random.default_rng(seed)
    c = rng.integers(0, 3, size=n)
    angle = rng.uniform(0, 2 * np.pi, size=n)
    r = 0.6 + 0.7 * c + 0.16 * rng.standard_normal(n)
    pts = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    extra = 0.5 * rng.standard_normal((n, 2))
    return np.concatenate([pts, extra], axis=1).astype(np.float32), c.astype(np.int64)


x, y = rings()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
    layers.Dense(3, kernel_regularizer=regularizers.L2(1e-4)),
])
steps_per_epoch = len(x_train) // BATCH
schedule = keras.optimizers.schedules.ExponentialDecay(
    LR, decay_steps=EVERY * steps_per_epoch, decay_rate=GAMMA, staircase=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.0),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)

ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for name, xs, ys in (("train", x_train, y_train), ("test", x_test, y_test)):
    z = model.predict(xs, verbose=0)
    print(f"{name}: loss {float(ce(ys, z)):.4f} accuracy {np.mean(z.argmax(1) == ys):.4f}")
