import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

MAX_ITER = 70
BATCH_SIZE = 100

rng = np.random.default_rng(5150)
centers = rng.normal(scale=1.6, size=(12, 6))
which = rng.integers(0, 12, size=1200)
X = (centers[which] + rng.normal(size=(1200, 6))).astype(np.float32)
y = which % 4
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]

clf = MLPClassifier(
    hidden_layer_sizes=(32,),
    activation="relu",
    solver="adam",
    alpha=0.0,
    batch_size=BATCH_SIZE,
    learning_rate_init=0.005,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=MAX_ITER,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10 ** 6,
    random_state=1,
).fit(X_train, y_train)

print("train log loss %.4f" % log_loss(y_train, clf.predict_proba(X_train)))
print("test log loss  %.4f" % log_loss(y_test, clf.predict_proba(X_test)))
print("test accuracy  %.4f" % clf.score(X_test, y_test))
