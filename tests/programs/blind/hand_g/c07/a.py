"""Friedman's regression problem with scikit-learn's MLPRegressor (SGD, Nesterov momentum, L2)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

rng = np.random.RandomState(12)
X = rng.uniform(size=(1300, 10))
y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(size=1300)
X = (X - 0.5) * np.sqrt(12.0)
y = (y - y[:1000].mean()) / y[:1000].std()
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(30, 15),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.05,
    batch_size=50,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=4,
)

# training
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)
for epoch, value in enumerate(model.loss_curve_, 1):
    print("epoch %2d  objective %.5f" % (epoch, value))

pred = model.predict(X_test)
print("test mse %.4f" % np.mean((pred - y_test) ** 2))
