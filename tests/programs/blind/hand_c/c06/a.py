"""Breast cancer with scikit-learn's MLPClassifier (SGD, momentum, L2)."""
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

data = load_breast_cancer()
order = np.random.RandomState(21).permutation(len(data.target))
X, y = data.data[order], data.target[order]
mean, std = X[:449].mean(axis=0), X[:449].std(axis=0)
X = ((X - mean) / std).astype("float32")
x_train, y_train = X[:449], y[:449]
x_test, y_test = X[449:], y[449:]

clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="tanh",
    solver="sgd",
    alpha=0.2,
    batch_size=32,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=False,
    shuffle=True,
    max_iter=16,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=4,
)

if __name__ == "__main__":
    clf.fit(x_train, y_train)
    for epoch, value in enumerate(clf.loss_curve_, 1):
        print(f"epoch {epoch:2d}  objective {value:.5f}")
    p = clf.predict_proba(x_test)[:, 1]
    print(f"test log loss {log_loss(y_test, p.astype('float64')):.5f}  "
          f"accuracy {accuracy_score(y_test, clf.predict(x_test)):.4f}")
