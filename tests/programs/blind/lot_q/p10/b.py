import warnings

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = make_friedman1(n_samples=600, n_features=8, noise=0.5, random_state=12)
X = ((X - 0.5) * np.sqrt(12)).astype(np.float32)
y = ((y - y.mean()) / y.std()).astype(np.float32)
X_train, X_test, y_train, y_test = X[:400], X[400:], y[:400], y[400:]

BATCH = 100
ITERATIONS = 140
LR = 0.03

net = MLPRegressor(hidden_layer_sizes=(30, 15), activation="tanh", solver="sgd", alpha=0.0,
                   batch_size=BATCH, learning_rate="constant", learning_rate_init=LR,
                   momentum=0.8, nesterovs_momentum=False, max_iter=ITERATIONS, shuffle=True,
                   random_state=6, tol=0.0, n_iter_no_change=100000, early_stopping=False)
net.fit(X_train, y_train)

for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    pred = net.predict(a)
    print(f"{name} mse {mean_squared_error(b, pred):.4f} r2 {r2_score(b, pred):.4f}")
