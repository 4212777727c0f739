"""Diabetes progression with scikit-learn's MLPRegressor."""
import warnings
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
perm = np.random.RandomState(13).permutation(len(X))
X, y = X[perm], y[perm]
X = (X - X[:350].mean(0)) / X[:350].std(0)
y = (y - y[:350].mean()) / y[:350].std()
X, y = X.astype(np.float32), y.astype(np.float32)

reg = MLPRegressor(
    hidden_layer_sizes=(20,), activation="tanh", solver="sgd",
    alpha=0.4, batch_size=32, learning_rate="constant", learning_rate_init=0.004,
    momentum=0.9, nesterovs_momentum=True,
    max_iter=30, shuffle=True, early_stopping=False, tol=0.0, n_iter_no_change=10**6,
    random_state=9,
)
reg.fit(X[:350], y[:350])
print("epochs:", reg.n_iter_, " last training loss: %.4f" % reg.loss_)
pred = reg.predict(X[350:])
print("test mse: %.4f" % np.mean((pred - y[350:]) ** 2))
