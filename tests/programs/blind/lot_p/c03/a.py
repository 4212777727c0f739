import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(1)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(25)
    freq = rng.uniform(0.15, 0.6, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    clean = np.sin(freq * t + phase)
    noisy = clean + 0.05 * rng.normal(size=clean.shape)
    return noisy[:, :24, None].astype("float32"), clean[:, 24:].astype("float32")


x_train, y_train = make_data(900, 0)
x_test, y_test = make_data(300, 1)

EPOCHS, BATCH = 15, 50
steps = EPOCHS * len(x_train) // BATCH

model = keras.Sequential([
    keras.Input((24, 1)),
    layers.LSTM(20),
    layers.Dense(1),
])
schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=steps, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.01, beta_1=0.9, beta_2=0.999,
                                     epsilon=1e-12, global_clipnorm=1.0),
    loss="mse")

train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(BATCH)

# train
model.fit(train_ds, epochs=EPOCHS, verbose=0)

print("train mse", float(np.mean((model.predict(x_train, verbose=0) - y_train) ** 2)))
print("test mse", float(np.mean((model.predict(x_test, verbose=0) - y_test) ** 2)))
