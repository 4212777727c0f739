import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

wine = load_wine()
order = np.random.RandomState(8).permutation(178)
X, y = wine.data[order], wine.target[order]
X = ((X - X[:120].mean(0)) / X[:120].std(0)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:120], y[:120], X[120:], y[120:]

ALPHA, BATCH = 0.2, 20
clf = MLPClassifier(
    hidden_layer_sizes=(24, 12), activation="tanh", solver="sgd", alpha=ALPHA, batch_size=BATCH,
    learning_rate="constant", learning_rate_init=0.01, momentum=0.9, nesterovs_momentum=True,
    max_iter=30, shuffle=True, random_state=7, tol=0.0, n_iter_no_change=10 ** 6,
    early_stopping=False,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    clf.fit(X_train, y_train)

for epoch in (1, 10, 20, 30):
    print(f"epoch {epoch} objective {clf.loss_curve_[epoch - 1]:.4f}")
for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    p = clf.predict_proba(a)
    ce = -np.log(p[np.arange(len(b)), b]).mean()
    print(f"{name} cross-entropy {ce:.4f} accuracy {(p.argmax(1) == b).mean():.4f}")
