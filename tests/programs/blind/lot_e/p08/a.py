import numpy as np
import keras
from keras import layers

rng = np.random.RandomState(60)
n, T, H = 900, 24, 16
tokens = rng.randint(0, 4, n)
signal = 0.5 * rng.randn(n, T, 5).astype("float32")
signal[np.arange(n), 1, tokens] += 2.0
signal[:, :, 4] = 0.0
signal[:, 1, 4] = 1.0
x_train, y_train, x_test, y_test = signal[:720], tokens[:720], signal[720:], tokens[720:]


def start_weights(n_in, units, n_out, seed=7):
    r = np.random.RandomState(seed)
    lim = np.sqrt(6.0 / (n_in + 3 * units))
    kernel = r.uniform(-lim, lim, (n_in, 3 * units))
    recurrent = np.linalg.qr(r.randn(3 * units, units))[0].T
    bias = np.zeros((2, 3 * units))
    bias[0, :units] = 2.0
    lim = np.sqrt(6.0 / (units + n_out))
    head = r.uniform(-lim, lim, (units, n_out))
    return [a.astype("float32") for a in (kernel, recurrent, bias, head)]


kernel, recurrent, bias, head = start_weights(5, H, 4)
gru = layers.GRU(H)
dense = layers.Dense(4)
model = keras.Sequential([keras.Input((T, 5)), gru, dense])
gru.set_weights([kernel, recurrent, bias])
dense.set_weights([head, np.zeros(4, "float32")])

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
hist = model.fit(x_train, y_train, batch_size=40, epochs=15, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"]):
    print(e, round(v, 4))
print("test accuracy", float((model.predict(x_test, verbose=0).argmax(1) == y_test).mean()))
