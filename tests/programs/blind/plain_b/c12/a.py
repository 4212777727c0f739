import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def get_data():
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))
    X, y = X[order], y[order]
    mean, std = X[:469].mean(0), X[:469].std(0)
    X = (X - mean) / std
    return X[:469], y[:469], X[469:], y[469:]


X_train, y_train, X_test, y_test = get_data()

clf = MLPClassifier(
    hidden_layer_sizes=(16, 8),
    activation="logistic",
    solver="sgd",
    alpha=0.01,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.08,
    momentum=0.8,
    nesterovs_momentum=False,
    shuffle=True,
    max_iter=40,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=4,
)
clf.fit(X_train, y_train)

for epoch in range(4, 40, 5):
    print(f"epoch {epoch + 1:3d}  loss {clf.loss_curve_[epoch]:.5f}")

p = clf.predict_proba(X_test)[:, 1]
bce = -np.mean(y_test * np.log(p) + (1 - y_test) * np.log(1 - p))
print(f"test bce {bce:.5f}  accuracy {np.mean((p > 0.5) == y_test):.4f}")
