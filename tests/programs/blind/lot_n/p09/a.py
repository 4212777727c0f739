import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(64)
X = rng.normal(size=(1100, 15)).astype("float32")
coef = rng.normal(size=15) / np.sqrt(15)
y = (X @ coef + np.sin(2 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=1100)).astype("float32")
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

reg = MLPRegressor(
    hidden_layer_sizes=(60, 30),
    activation="relu",
    solver="adam",
    alpha=2.0,
    batch_size=50,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=30,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=10**6,
    random_state=7,
)
reg.fit(X_train, y_train)
for epoch, loss in enumerate(reg.loss_curve_):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
pred = reg.predict(X_test)
print(f"test mse {np.mean((pred - y_test) ** 2):.4f}")
