import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(61)
X = rng.uniform(-1, 1, size=(800, 6)).astype("float32")
A = rng.standard_normal((6, 8))
Y = np.stack([np.sin(2.0 * (X @ A[:, k])) if k % 2 else (X @ A[:, k]) ** 2 - 1.0 for k in range(8)], axis=1)
Y = ((Y - Y[:600].mean(axis=0)) / Y[:600].std(axis=0)).astype("float32")
X_train, Y_train, X_test, Y_test = X[:600], Y[:600], X[600:], Y[600:]

model = MLPRegressor(
    hidden_layer_sizes=(50,),
    activation="tanh",
    solver="sgd",
    alpha=0.0,
    batch_size=50,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=40,
    tol=0.0,
    n_iter_no_change=10_000,
    shuffle=True,
    random_state=44,
)
model.fit(X_train, Y_train)
for epoch in range(10, 41, 10):
    print(f"epoch {epoch} loss {model.loss_curve_[epoch - 1]:.4f}")
print(f"test mse {np.mean((model.predict(X_test) - Y_test) ** 2):.4f}")
