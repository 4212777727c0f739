import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)


HID = 16


def make_data(n=760, steps=20):
    rng = np.random.default_rng(23)
    x = rng.normal(size=(n, steps, 3)).astype("float32")
    level = np.zeros(n)
    for t in range(steps):
        level = 0.9 * level + np.tanh(x[:, t, 0]) * (x[:, t, 1] > 0) + 0.3 * x[:, t, 2]
    return x, (level / level.std()).astype("float32")[:, None]


def encoder_weights():
    """Encoder of the older system: kernel, recurrent kernel, bias."""
    rng = np.random.default_rng(99)
    kernel = rng.normal(0, 0.15, size=(3, 4 * HID))
    recurrent = rng.normal(0, 0.08, size=(HID, 4 * HID))
    bias = np.zeros(4 * HID)
    kernel[:, 2 * HID:3 * HID] = rng.normal(0, 0.7, size=(3, HID))
    bias[HID:2 * HID] = 2.0
    bias[3 * HID:] = 1.5
    return [kernel.astype("float32"), recurrent.astype("float32"), bias.astype("float32")]


x, y = make_data()
x_train, y_train, x_val, y_val = x[:600], y[:600], x[600:], y[600:]

inputs = keras.Input((20, 3))
encoder = layers.LSTM(HID, name="encoder")
h = encoder(inputs)
outputs = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)
encoder.set_weights(encoder_weights())

model.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
              loss=keras.losses.MeanSquaredError())
history = model.fit(x_train, y_train, batch_size=30, epochs=10, shuffle=True,
                    validation_data=(x_val, y_val), verbose=0)
for e, (a, b) in enumerate(zip(history.history["loss"], history.history["val_loss"]), 1):
    print(f"epoch {e}: train {a:.4f} val {b:.4f}")
