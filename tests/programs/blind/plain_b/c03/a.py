"""Count regression with scikit-learn: MLPRegressor with the Poisson loss."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_poisson_deviance
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_counts(n, seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, size=(n, 6))
    log_rate = 0.6 * np.sin(2 * X[:, 0]) + 0.4 * X[:, 1] * X[:, 2] + 0.3 * np.abs(X[:, 3]) + 0.2
    return X, rng.poisson(np.exp(log_rate)).astype(float)


X, y = make_counts(2500, seed=404)
X_train, X_test = X[:2000], X[2000:]
y_train, y_test = y[:2000], y[2000:]
scaler = StandardScaler().fit(X_train)

model = MLPRegressor(
    loss="poisson",
    hidden_layer_sizes=(40, 20),
    activation="relu",
    solver="adam",
    alpha=1e-3,
    batch_size=64,
    learning_rate_init=6e-3,
    max_iter=18,
    tol=0.0,
    n_iter_no_change=1000,
    random_state=1,
)
model.fit(scaler.transform(X_train), y_train)

for epoch, value in enumerate(model.loss_curve_, 1):
    print(f"epoch {epoch:2d}  loss {value:.5f}")
rate = model.predict(scaler.transform(X_test))
print("deviance of the mean :", round(mean_poisson_deviance(y_test, np.full_like(y_test, y_train.mean())), 4))
print("deviance of the model:", round(mean_poisson_deviance(y_test, rate), 4))
