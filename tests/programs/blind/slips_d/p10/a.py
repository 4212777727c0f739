# adding problem with a GRU
import keras
import numpy as np

keras.utils.set_random_seed(7)
keras.mixed_precision.set_global_policy("mixed_bfloat16")

T, N_TRAIN, N_TEST = 10, 1000, 300
rng = np.random.default_rng(99)


def make(n):
    values = rng.uniform(0, 1, size=(n, T))
    marks = np.zeros((n, T))
    for row in range(n):
        marks[row, rng.choice(T, size=2, replace=False)] = 1.0
    x = np.stack([values, marks], axis=-1).astype(np.float32)
    y = (values * marks).sum(axis=1, keepdims=True).astype(np.float32)
    return x, y


x_train, y_train = make(N_TRAIN)
x_test, y_test = make(N_TEST)

inp = keras.Input((T, 2))
hidden = keras.layers.GRU(
    24, activation="tanh", recurrent_activation="sigmoid",
    kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
    bias_initializer="zeros", reset_after=True,
)(inp)
out = keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(hidden)
model = keras.Model(inp, out)
model.compile(optimizer=keras.optimizers.Adam(5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss="mse")
model.fit(x_train, y_train, batch_size=40, epochs=20, shuffle=True, verbose=2)
print("test mse", model.evaluate(x_test, y_test, batch_size=300, verbose=0))
