import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

data = load_diabetes()
order = np.random.default_rng(2).permutation(len(data.target))
X = data.data[order].astype("float32")
y = data.target[order].astype("float32")
X = (X - X[:360].mean(axis=0)) / X[:360].std(axis=0)
y = (y - y[:360].mean()) / y[:360].std()
X_train, y_train, X_test, y_test = X[:360], y[:360], X[360:], y[360:]

reg = MLPRegressor(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.01,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.4,
    batch_size=40,
    max_iter=40,
    tol=0.0,
    n_iter_no_change=1000,
    shuffle=True,
    random_state=5,
)
reg.fit(X_train, y_train)
print("epochs", reg.n_iter_)
for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    print(f"{name} mse {np.mean((reg.predict(a) - b) ** 2):.4f}")
