"""Count regression with scikit-learn's MLPRegressor and the Poisson loss."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_poisson_deviance
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)
SEED = 1234

rng = np.random.default_rng(42)
X = rng.uniform(-1, 1, (800, 6))
rate = np.exp(0.8 + 1.2 * X[:, 0] - 0.9 * X[:, 1] * X[:, 2] + 0.7 * np.sin(3 * X[:, 3]))
y = rng.poisson(rate).astype(float)
X_train, X_test, y_train, y_test = X[:600], X[600:], y[:600], y[600:]

model = MLPRegressor(
    loss="poisson",
    hidden_layer_sizes=(50, 20),
    activation="tanh",
    solver="adam",
    learning_rate_init=3e-3,
    alpha=1e-2,
    batch_size=40,
    max_iter=30,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=True,
    random_state=SEED,
)
model.fit(X_train, y_train)
print("epochs", model.n_iter_, "steps", model.t_ // 40)
print("first and last training loss %.4f %.4f" % (model.loss_curve_[0], model.loss_curve_[-1]))
print("test deviance %.4f, of the mean %.4f" % (
    mean_poisson_deviance(y_test, model.predict(X_test)),
    mean_poisson_deviance(y_test, np.full(len(y_test), y_train.mean()))))
