import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

BATCH = 50
EPOCHS = 12
ALPHA = 0.05

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype(np.float32)
order = np.random.default_rng(7).permutation(len(X))
train, test = order[:1500], order[1500:]

clf = MLPClassifier(
    hidden_layer_sizes=(48,),
    activation="tanh",
    solver="adam",
    alpha=ALPHA,
    batch_size=BATCH,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=EPOCHS + 1,
    early_stopping=False,
    random_state=11,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    clf.fit(X[train], y[train])

for epoch, value in enumerate(clf.loss_curve_, 1):
    print(f"epoch {epoch:2d}  loss {value:.4f}")
proba = clf.predict_proba(X[test]).astype(np.float64)
proba /= proba.sum(axis=1, keepdims=True)
print("test log loss %.4f" % log_loss(y[test], proba))
print("test accuracy %.4f" % accuracy_score(y[test], proba.argmax(axis=1)))
