"""Diabetes progression, scikit-learn."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

data = load_diabetes()
perm = np.random.default_rng(1).permutation(len(data.target))
X, y = data.data[perm], data.target[perm]
X_train, X_test = X[:360], X[360:]
y_train, y_test = y[:360], y[360:]
m, s = X_train.mean(axis=0), X_train.std(axis=0)
X_train = ((X_train - m) / s).astype(np.float32)
X_test = ((X_test - m) / s).astype(np.float32)
y_mean, y_std = y_train.mean(), y_train.std()
y_train = ((y_train - y_mean) / y_std).astype(np.float32)

reg = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(20, 10),
    activation="tanh",
    solver="adam",
    alpha=0.5,
    batch_size=40,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=45,
    shuffle=True,
    early_stopping=True,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=0,
)

# ---- training
reg.fit(X_train, y_train)
print("training loss: first %.4f, last %.4f" % (reg.loss_curve_[0], reg.loss_curve_[-1]))
pred = reg.predict(X_test) * y_std + y_mean
print("test RMSE %.3f" % np.sqrt(mean_squared_error(y_test, pred)))
print("test R2 %.4f" % r2_score(y_test, pred))
