import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_wine(return_X_y=True)
perm = np.random.default_rng(5).permutation(len(X))
X, y = X[perm], y[perm]
X_tr, X_te, y_tr, y_te = X[:128], X[128:], y[:128], y[128:]
mu, sd = X_tr.mean(0), X_tr.std(0)
X_tr = ((X_tr - mu) / sd).astype(np.float32)
X_te = ((X_te - mu) / sd).astype(np.float32)

clf = MLPClassifier(
    hidden_layer_sizes=(24, 16), activation="relu", solver="adam",
    alpha=0.05, batch_size=16, learning_rate_init=0.003,
    beta_1=0.9, beta_2=0.999, epsilon=1e-8,
    max_iter=40, shuffle=True, tol=0.0, n_iter_no_change=10000,
    early_stopping=False, random_state=8)

# train
clf.fit(X_tr, y_tr)

p_tr = clf.predict_proba(X_tr)
p_te = clf.predict_proba(X_te)
print("train log loss", round(log_loss(y_tr, p_tr.astype(np.float64)), 4))
print("test log loss", round(log_loss(y_te, p_te.astype(np.float64)), 4))
print("test accuracy", round(float((p_te.argmax(1) == y_te).mean()), 4))
