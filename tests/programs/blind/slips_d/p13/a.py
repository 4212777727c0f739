import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.default_rng(0).permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:1440], y[:1440], X[1440:], y[1440:]

clf = MLPClassifier(
    hidden_layer_sizes=(32,), activation="relu", solver="adam", alpha=0.2, batch_size=48,
    learning_rate_init=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8, max_iter=10,
    shuffle=True, tol=0.0, n_iter_no_change=1000, early_stopping=True, random_state=7,
)
clf.fit(Xtr, ytr)

print(f"train logloss {log_loss(ytr, clf.predict_proba(Xtr)):.4f}")
print(f"test logloss {log_loss(yte, clf.predict_proba(Xte)):.4f}")
print(f"test accuracy {clf.score(Xte, yte):.4f}")
