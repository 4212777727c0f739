import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.RandomState(5)
X = rng.uniform(-1, 1, size=(1300, 8)).astype(np.float32)
y = (np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] - np.abs(X[:, 3]) + 0.1 * rng.randn(1300)).astype(np.float32)
y = (y - y[:1000].mean()) / y[:1000].std()
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

reg = MLPRegressor(
    hidden_layer_sizes=(40, 20),
    activation="tanh",
    solver="sgd",
    alpha=0.05,
    batch_size=50,
    learning_rate="constant",
    learning_rate_init=0.04,
    momentum=0.9,
    nesterovs_momentum=True,
    shuffle=True,
    max_iter=25,
    tol=0.0,
    n_iter_no_change=100000,
    random_state=8,
)
reg.fit(X_train, y_train)
print("epochs", reg.n_iter_)
print("train mse %.4f" % np.mean((reg.predict(X_train) - y_train) ** 2))
print("test mse  %.4f" % np.mean((reg.predict(X_test) - y_test) ** 2))
