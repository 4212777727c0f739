"""Diabetes regression: scikit-learn."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
idx = np.random.default_rng(2).permutation(len(X))
X, y = X[idx], y[idx]
n = 320
X = ((X - X[:n].mean(axis=0)) / X[:n].std(axis=0)).astype(np.float32)
y = ((y - y[:n].mean()) / y[:n].std()).astype(np.float32)
X_train, y_train, X_test, y_test = X[:n], y[:n], X[n:], y[n:]

HIDDEN, ALPHA, BATCH, EPOCHS, LR = (24, 12), 0.3, 32, 30, 0.003

model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=HIDDEN,
    activation="tanh",
    solver="adam",
    alpha=ALPHA,
    batch_size=BATCH,
    learning_rate_init=LR,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=EPOCHS,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=EPOCHS + 1,
    random_state=0,
)
model.fit(X_train, y_train)
curve = model.loss_curve_

print("loss curve:", " ".join(f"{v:.4f}" for v in curve[::5]), f"{curve[-1]:.4f}")
pred = model.predict(X_test)
print(f"test mse {mean_squared_error(y_test, pred):.4f}  r2 {r2_score(y_test, pred):.4f}")
