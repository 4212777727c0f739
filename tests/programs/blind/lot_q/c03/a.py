import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

wine = load_wine()
perm = np.random.RandomState(3).permutation(len(wine.target))
X = wine.data[perm]
y = wine.target[perm]
X = ((X - X[:128].mean(0)) / X[:128].std(0)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:128], y[:128], X[128:], y[128:]

clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="tanh",
    solver="adam",
    alpha=0.08,
    batch_size=32,
    learning_rate_init=0.004,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=60,
    shuffle=True,
    random_state=7,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
)
clf.fit(X_train, y_train)

print("training loss, every tenth epoch:", np.round(clf.loss_curve_[::10], 4))
print("train log loss", round(log_loss(y_train, clf.predict_proba(X_train)), 4))
print("test log loss", round(log_loss(y_test, clf.predict_proba(X_test)), 4),
      "accuracy", round(clf.score(X_test, y_test), 4))
