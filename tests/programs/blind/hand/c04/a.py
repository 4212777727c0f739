"""Handwritten digits with scikit-learn's MLPClassifier, SGD with Nesterov momentum."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
y = digits.target
order = np.random.default_rng(0).permutation(len(X))
train, test = order[:1400], order[1400:]

clf = MLPClassifier(
    hidden_layer_sizes=(40, 20),
    activation="logistic",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.3,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.02,
    batch_size=64,
    max_iter=20,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=1,
)
clf.fit(X[train], y[train])

for name, part in (("train", train), ("test", test)):
    p = clf.predict_proba(X[part])
    nll = -np.log(p[np.arange(len(part)), y[part]]).mean()
    acc = (p.argmax(1) == y[part]).mean()
    print(f"{name}: log loss {nll:.4f} accuracy {acc:.4f}")
