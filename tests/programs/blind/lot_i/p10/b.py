import keras
import numpy as np

EPOCHS = 24
HIGH, LOW = 0.02, 0.0005


def make_data():
    rng = np.random.RandomState(2)
    X = rng.normal(size=(900, 10)) * np.linspace(0.3, 2.0, 10)
    y = np.tanh(X[:, 9]) + 0.5 * X[:, 8] - 0.6 * X[:, 0] * X[:, 7] + 0.1 * rng.normal(size=900)
    return X[:640].astype("float32"), y[:640, None].astype("float32"), X[640:].astype("float32"), y[640:, None].astype("float32")


def rate(epoch, lr=None):
    return HIGH if epoch % 4 < 2 else LOW


keras.utils.set_random_seed(1)
x_train, y_train, x_val, y_val = make_data()
model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(24, activation="tanh"),
    keras.layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=HIGH, momentum=0.9), loss="mse")
history = model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, shuffle=True,
                    validation_data=(x_val, y_val), verbose=0,
                    callbacks=[keras.callbacks.LearningRateScheduler(rate)]).history
for i in range(EPOCHS):
    print(f"epoch {i + 1} loss {history['loss'][i]:.5f} val {history['val_loss'][i]:.5f}")
