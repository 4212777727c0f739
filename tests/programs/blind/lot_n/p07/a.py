import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(9)
X = rng.uniform(-1, 1, (800, 6)).astype("float32")
y = (0.12 * np.sin(3 * X[:, 0]) + 0.1 * X[:, 1] * X[:, 2] - 0.08 * X[:, 3] ** 2
     + 0.05 * X[:, 4] + 0.005 * rng.normal(size=800)).astype("float32")
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

reg = MLPRegressor(
    hidden_layer_sizes=(50, 25),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=100,
    learning_rate="constant",
    learning_rate_init=0.1,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=90,
    shuffle=True,
    random_state=0,
)
reg.fit(X_train, y_train)
for epoch, loss in enumerate(reg.loss_curve_):
    print(f"epoch {epoch + 1}: loss {loss:.6f}")
pred = reg.predict(X_test)
print(f"test rmse {np.sqrt(np.mean((pred - y_test) ** 2)):.5f}")
