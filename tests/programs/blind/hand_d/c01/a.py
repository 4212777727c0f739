"""Rare-fault classifier: scikit-learn MLP, classes balanced through sample_weight."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(3, size=n, p=[0.78, 0.15, 0.07])
    centers = np.array([[0, 0, 0, 0, 0, 0], [1.2, -0.8, 0.5, 0, 0, 0.3], [-0.9, 1.0, 0, 0.8, -0.4, 0]])
    X = centers[y] + rng.normal(size=(n, 6))
    X[:, 3] += 0.6 * X[:, 0] * (y == 1)
    X[:, 4] += 0.5 * X[:, 1] ** 2 * (y == 2)
    return X.astype(np.float32), y


X, y = make_data(1200, 31)
X_test, y_test = make_data(800, 32)

counts = np.bincount(y, minlength=3)
class_weight = (len(y) / (3.0 * counts)).astype(np.float32)

EPOCHS = 25
clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.05,
    momentum=0.9,
    nesterovs_momentum=False,
    alpha=0.0,
    batch_size=64,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=5,
)

# ---- training
clf.fit(X, y, sample_weight=class_weight[y])


def report(name, X, y):
    p = clf.predict_proba(X)
    w = class_weight[y]
    loss = -(w * np.log(p[np.arange(len(y)), y])).sum() / w.sum()
    bal = balanced_accuracy_score(y, p.argmax(1))
    print(f"{name}: weighted cross-entropy {loss:.4f}  balanced accuracy {bal:.4f}")


report("train", X, y)
report("test", X_test, y_test)
