import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
order = np.random.default_rng(15).permutation(len(X))
X, y = X[order], y[order].astype("int64")
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

model = MLPClassifier(
    hidden_layer_sizes=(40,), activation="relu", solver="adam", alpha=0.0,
    learning_rate_init=0.005, beta_1=0.9, beta_2=0.99, epsilon=1e-12,
    batch_size=50, max_iter=20, shuffle=True, random_state=5,
    tol=0.0, n_iter_no_change=1_000_000, early_stopping=False,
)
model.fit(X_train, y_train)
for epoch, value in enumerate(model.loss_curve_):
    print(f"iteration {epoch + 1}, loss = {value:.6f}")
print("test accuracy", round(float(model.score(X_test, y_test)), 4))
