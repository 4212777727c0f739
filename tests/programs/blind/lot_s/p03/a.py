import warnings

import numpy as np
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore")


def make_data(n=720, d=8):
    rng = np.random.RandomState(12)
    X = rng.uniform(-1.5, 1.5, size=(n, d))
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] ** 2 - X[:, 4] + 0.05 * rng.normal(size=n)
    return X, (y - y.mean()) / y.std()


X, y = make_data()
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

model = MLPRegressor(
    hidden_layer_sizes=(40,),
    activation="relu",
    solver="sgd",
    alpha=0.01,
    batch_size=50,
    learning_rate="constant",
    learning_rate_init=0.03,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=1,
)
model.fit(X_train, y_train)
print("train mse", np.mean((model.predict(X_train) - y_train) ** 2))
print("test mse", np.mean((model.predict(X_test) - y_test) ** 2))
