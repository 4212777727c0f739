"""Activity recognition from windows of many channels, LSTM in Keras."""
import keras
import numpy as np

keras.utils.set_random_seed(61)

STEPS, CHANNELS, UNITS, ACTIVITIES = 12, 80, 8, 4
rng = np.random.RandomState(303)
patterns = rng.randn(ACTIVITIES, 3, CHANNELS)


def windows(n):
    y = rng.randint(0, ACTIVITIES, n)
    x = rng.randn(n, STEPS, CHANNELS)
    for i in range(n):
        at = np.sort(rng.choice(STEPS, 3, replace=False))
        x[i, at] += 0.5 * patterns[y[i]]
    return x.astype(np.float32), y.astype(np.int64)


x_train, y_train = windows(800)
x_test, y_test = windows(400)

model = keras.Sequential([
    keras.Input((STEPS, CHANNELS)),
    keras.layers.LSTM(UNITS, bias_initializer="zeros", unit_forget_bias=True),
    keras.layers.Dense(ACTIVITIES, kernel_initializer="glorot_uniform"),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, batch_size=40, epochs=15, shuffle=True, verbose=0)
for e, value in enumerate(history.history["loss"]):
    print("epoch", e, "loss %.4f" % value)
print("test loss %.4f accuracy %.4f" % tuple(model.evaluate(x_test, y_test, batch_size=400, verbose=0)))
