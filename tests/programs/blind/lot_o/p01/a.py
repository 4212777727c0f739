"""One-dimensional curve fitting with scikit-learn's multi-layer perceptron."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(7)
x = rng.uniform(-2.0, 2.0, size=(800, 1)).astype("float32")
y = (np.sin(3.0 * x[:, 0]) + 0.3 * x[:, 0] + 0.05 * rng.normal(size=800)).astype("float32")
x_train, y_train = x[:640], y[:640]
x_test, y_test = x[640:], y[640:]

EPOCHS = 30

net = MLPRegressor(
    hidden_layer_sizes=(48, 24),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=32,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    shuffle=True,
    max_iter=EPOCHS,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=11,
)
net.fit(x_train, y_train)

for epoch in range(0, EPOCHS, 5):
    print(f"epoch {epoch + 1:3d} loss {net.loss_curve_[epoch]:.5f}")
pred = net.predict(x_test)
print("final training loss", round(float(net.loss_), 5))
print("test mse", round(float(np.mean((pred - y_test) ** 2)), 5))
