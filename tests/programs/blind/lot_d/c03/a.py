import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(2024)
X = rng.uniform(0, 1, size=(1000, 8))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, size=1000))
X = (X - X[:800].mean(0)) / X[:800].std(0)
y = (y - y[:800].mean()) / y[:800].std()
X, y = X.astype(np.float32), y.astype(np.float32)
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

reg = MLPRegressor(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="adam",
    alpha=0.1,
    batch_size=40,
    learning_rate_init=3e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10000,
    early_stopping=False,
    random_state=8,
)
reg.fit(X_train, y_train)

pred = reg.predict(X_test)
print("final training loss", reg.loss_)
print("test mse", float(np.mean((pred - y_test) ** 2)))
print("test r2", float(1 - np.mean((pred - y_test) ** 2) / np.var(y_test)))
