import warnings
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
X = (X / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32")
idx = np.random.RandomState(1).permutation(len(y))
X, y = X[idx], y[idx]
X_train, y_train, X_test, y_test = X[:352], y[:352], X[352:], y[352:]

reg = MLPRegressor(
    hidden_layer_sizes=(30,), activation="tanh", solver="sgd", alpha=0.1, batch_size=32,
    learning_rate="constant", learning_rate_init=0.02, momentum=0.9, nesterovs_momentum=True,
    max_iter=25, shuffle=True, tol=0.0, n_iter_no_change=10000, random_state=0,
)
reg.fit(X_train, y_train)
for i, l in enumerate(reg.loss_curve_):
    print(f"epoch {i + 1} loss {l:.5f}")

p = reg.predict(X_test)
print("test mse", float(np.mean((p - y_test) ** 2)))
