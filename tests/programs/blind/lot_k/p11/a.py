import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

LABELS = 6
rng = np.random.RandomState(40)
X = rng.normal(0, 1, (1000, 15)).astype(np.float32)
A = rng.normal(0, 1, (15, LABELS)) / np.sqrt(15)
B = rng.normal(0, 1, (15, LABELS)) / np.sqrt(15)
score = 2 * X @ A + (X @ B) ** 2 - 1
Y = (score + rng.normal(0, 0.3, score.shape) > 0).astype(int)
X_train, Y_train, X_test, Y_test = X[:700], Y[:700], X[700:], Y[700:]

clf = MLPClassifier(
    hidden_layer_sizes=(40,), activation="relu", solver="sgd", alpha=0.0, batch_size=35,
    learning_rate="constant", learning_rate_init=0.02, max_iter=25, shuffle=True, random_state=3,
    tol=0.0, n_iter_no_change=10 ** 6, momentum=0.9, nesterovs_momentum=True,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    clf.fit(X_train, Y_train)


def report(name, x, y):
    p = np.clip(clf.predict_proba(x).astype(np.float64), 1e-7, 1 - 1e-7)
    bce = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    print(f"{name}: bce per label {bce:.4f}  label accuracy {((p > 0.5) == y).mean():.4f}")


report("train", X_train, Y_train)
report("test", X_test, Y_test)
