"""Smooth regression with scikit-learn's MLPRegressor."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.RandomState(42)
X = rng.uniform(0, 1, size=(1100, 6))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, size=1100))
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
y_mean, y_std = y_train.mean(), y_train.std()
y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std

model = MLPRegressor(
    hidden_layer_sizes=(28, 14),
    activation="tanh",
    solver="sgd",
    alpha=0.05,
    batch_size=60,
    learning_rate="constant",
    learning_rate_init=0.03,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=40,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10 ** 6,
    early_stopping=False,
    random_state=9,
)
model.fit(X_train, y_train)
for epoch, value in enumerate(model.loss_curve_):
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  objective {value:.5f}")
for name, data, target in (("train", X_train, y_train), ("test", X_test, y_test)):
    print(f"{name} mse {np.mean((model.predict(data) - target) ** 2):.5f}")
