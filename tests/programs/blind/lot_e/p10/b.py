import warnings
import numpy as np
from sklearn.datasets import make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = make_regression(n_samples=900, n_features=12, n_informative=8, noise=5.0, random_state=81)
X = (X * np.linspace(0.5, 2.0, 12)).astype("float32")
y = ((y - y.mean()) / y.std())
y = (np.tanh(1.5 * y) + 0.3 * X[:, 0] * X[:, 1]).astype("float32")
X_train, y_train, X_test, y_test = X[:720], y[:720], X[720:], y[720:]

model = MLPRegressor(
    hidden_layer_sizes=(40,), activation="tanh", solver="sgd", alpha=0.0, batch_size=48,
    learning_rate="constant", learning_rate_init=0.08, momentum=0.95, max_iter=20,
    tol=0.0, n_iter_no_change=100000, random_state=13,
)
model.fit(X_train, y_train)
for i, v in enumerate(model.loss_curve_):
    print(i + 1, round(float(v), 5))

p = model.predict(X_test)
print("test mse", float(np.mean((p - y_test) ** 2)))
