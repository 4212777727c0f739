"""Next-state model: linear part from least squares, refined by training (Keras)."""
import keras
import numpy as np
from keras import layers

DIM = 12
EPOCHS = 15
BATCH = 40


def make_data(seed=8):
    rng = np.random.RandomState(seed)
    A = np.triu(rng.normal(scale=0.5, size=(DIM, DIM))) + 0.3 * np.eye(DIM)
    state = rng.normal(size=(1000, DIM))
    nxt = state @ A + 0.6 * np.sin(state @ rng.normal(scale=0.5, size=(DIM, DIM))) + 0.05 * rng.normal(size=(1000, DIM))
    state, nxt = state.astype("float32"), nxt.astype("float32")
    return state[:800], nxt[:800], state[800:], nxt[800:]


def least_squares(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0].astype("float32")


x_train, y_train, x_test, y_test = make_data()
start = least_squares(x_train, y_train)

keras.utils.set_random_seed(60)
inputs = keras.Input((DIM,))
linear = layers.Dense(DIM)
hidden = layers.Dense(48, activation="tanh")(inputs)
model = keras.Model(inputs, layers.add([linear(inputs), layers.Dense(DIM)(hidden)]))
linear.set_weights([start, np.zeros(DIM, "float32")])

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03), loss="mean_squared_error")
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=0)
for i, value in enumerate(history.history["loss"]):
    print(f"epoch {i + 1} mse {value:.5f}")
print(f"test mse {model.evaluate(x_test, y_test, verbose=0):.5f}")
