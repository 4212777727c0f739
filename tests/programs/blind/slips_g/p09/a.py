import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

rng = np.random.RandomState(42)
X = rng.uniform(-2, 2, size=(1000, 6)).astype(np.float32)
y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.3 * X[:, 3] - 0.2 * X[:, 4] ** 2
y = (y + 0.1 * rng.randn(1000)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

reg = MLPRegressor(
    hidden_layer_sizes=(24,),
    activation="tanh",
    solver="sgd",
    alpha=0.04,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.01,
    momentum=0.9,
    nesterovs_momentum=True,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10000,
    random_state=0,
)
reg.fit(X_train, y_train)

print("train mse %.5f" % np.mean((reg.predict(X_train) - y_train) ** 2))
print("test mse %.5f" % np.mean((reg.predict(X_test) - y_test) ** 2))
print("test r2 %.4f" % reg.score(X_test, y_test))
