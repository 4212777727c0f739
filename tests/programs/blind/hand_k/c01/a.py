"""Friedman regression with scikit-learn's MLPRegressor (SGD with Nesterov momentum)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 1.0, size=(1000, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(0, 0.5, 1000))
    x = (x - 0.5) / 0.29
    y = (y - y[:800].mean()) / y[:800].std()
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:800], y[:800], x[800:], y[800:]


x_train, y_train, x_test, y_test = make_data()

model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="sgd",
    alpha=0.05,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=11,
)
model.fit(x_train, y_train)

for epoch in range(0, 25, 5):
    print(f"epoch {epoch + 1:2d}  loss {model.loss_curve_[epoch]:.5f}")
train_mse = float(np.mean((model.predict(x_train) - y_train) ** 2))
test_mse = float(np.mean((model.predict(x_test) - y_test) ** 2))
print(f"train mse {train_mse:.5f}  test mse {test_mse:.5f}")
