import numpy as np
import keras
from keras import layers

SEQ, HIDDEN, BATCH, EPOCHS = 16, 24, 32, 12

rng = np.random.default_rng(99)


def sequences(n):
    level = rng.normal(size=(n, 1))
    noise = rng.normal(size=(n, SEQ))
    s = np.zeros((n, SEQ))
    s[:, 0] = noise[:, 0]
    for t in range(1, SEQ):
        s[:, t] = 0.7 * s[:, t - 1] + 0.7 * noise[:, t]
    s = s + level
    d = np.concatenate([np.zeros((n, 1)), np.diff(s, axis=1)], axis=1)
    target = s.mean(axis=1) + 0.5 * s[:, -4:].max(axis=1)
    return np.stack([s, d], axis=2).astype(np.float32), target.astype(np.float32)[:, None]


x_train, y_train = sequences(1024)
x_val, y_val = sequences(256)

keras.utils.set_random_seed(0)

inputs = keras.Input((SEQ, 2))
h = layers.LSTM(HIDDEN)(inputs)
outputs = layers.Dense(1)(h)
net = keras.Model(inputs, outputs)

net.compile(
    optimizer=keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mean_squared_error",
)
net.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
        validation_data=(x_val, y_val), verbose=2)
