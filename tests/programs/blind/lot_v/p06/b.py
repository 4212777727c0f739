import warnings

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

EPOCHS, BATCH, LR = 20, 50, 0.02

X, y = make_friedman1(n_samples=1300, n_features=8, noise=0.5, random_state=10)
X = (X * 2.0 - 1.0).astype(np.float32)
y = (y / 5.0).astype(np.float32)
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

net = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(40, 20),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate="constant",
    learning_rate_init=LR,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=EPOCHS + 1,
    random_state=4,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    net.fit(X_train, y_train)

for epoch, loss in enumerate(net.loss_curve_):
    print(f"epoch {epoch + 1:2d} loss {loss:.4f}")
pred = net.predict(X_test)
resid = pred - y_test
print(f"test rmse {np.sqrt(np.mean(resid ** 2)):.4f}  r2 {1 - np.sum(resid ** 2) / np.sum((y_test - y_test.mean()) ** 2):.4f}")
