import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)

rng = np.random.RandomState(88)
X = rng.randn(960, 7).astype(np.float32)
y = (np.tanh(X[:, 0] + X[:, 1]) + 0.5 * X[:, 2] * X[:, 3] + 0.2 * rng.randn(960)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

model = MLPRegressor(
    hidden_layer_sizes=(32,), activation="tanh", solver="sgd", alpha=0.5, batch_size=50,
    learning_rate="constant", learning_rate_init=0.02, momentum=0.9, nesterovs_momentum=False,
    max_iter=20, shuffle=True, tol=0.0, n_iter_no_change=100000, random_state=3,
)
model.fit(X_train, y_train)
for epoch, value in enumerate(model.loss_curve_, 1):
    print("epoch %2d  training loss %.4f" % (epoch, value))
print("test mse %.4f" % np.mean((model.predict(X_test) - y_test) ** 2))
