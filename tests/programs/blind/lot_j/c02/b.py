import math

import keras
import numpy as np
from keras import layers

STEPS, FEATS, UNITS, BATCH, EPOCHS = 20, 2, 24, 32, 12


def oscillators(n, rng):
    f = rng.uniform(0.1, 0.9, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    t = np.arange(STEPS)
    a = np.sin(f * t + phase) + 0.2 * rng.normal(size=(n, STEPS))
    b = np.cos(f * t + phase) + 0.2 * rng.normal(size=(n, STEPS))
    x = np.stack([a, b], axis=-1)
    y = np.digitize(f[:, 0], [0.37, 0.63])
    return x.astype(np.float32), y.astype(np.int64)


rng = np.random.default_rng(15)
x_train, y_train = oscillators(896, rng)
x_val, y_val = oscillators(320, rng)

keras.utils.set_random_seed(23)
model = keras.Sequential([
    keras.Input((STEPS, FEATS)),
    layers.GRU(UNITS, reset_after=True),
    layers.Dense(3),
])
total_steps = EPOCHS * math.ceil(len(x_train) / BATCH)
schedule = keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=total_steps, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12, global_clipnorm=0.5),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
          validation_data=(x_val, y_val), verbose=2)
