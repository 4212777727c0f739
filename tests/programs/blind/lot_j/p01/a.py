import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def friedman(n, rng):
    x = rng.uniform(size=(n, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(scale=0.5, size=n))
    return x, y


rng = np.random.default_rng(7)
x_train, y_train = friedman(960, rng)
x_test, y_test = friedman(400, rng)
mu, sd = x_train.mean(0), x_train.std(0)
ym, ys = y_train.mean(), y_train.std()
x_train = ((x_train - mu) / sd).astype(np.float32)
x_test = ((x_test - mu) / sd).astype(np.float32)
y_train = ((y_train - ym) / ys).astype(np.float32)
y_test = ((y_test - ym) / ys).astype(np.float32)

net = MLPRegressor(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="sgd",
    alpha=0.0,
    batch_size=64,
    learning_rate="constant",
    learning_rate_init=0.005,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=20,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=3,
)
net.fit(x_train, y_train)
for i, l in enumerate(net.loss_curve_):
    print(f"epoch {i + 1:2d} loss {l:.4f}")
pred = net.predict(x_test)
print("test mse", float(np.mean((pred - y_test) ** 2)))
print("test r2 ", float(1 - np.mean((pred - y_test) ** 2) / np.var(y_test)))
