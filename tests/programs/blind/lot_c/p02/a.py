import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
order = np.random.default_rng(14).permutation(len(y))
X, y = X[order], y[order]
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

clf = MLPClassifier(
    hidden_layer_sizes=(40,), activation="tanh", solver="sgd", alpha=0.0, batch_size=60,
    learning_rate="invscaling", power_t=0.5, learning_rate_init=0.3,
    momentum=0.0, nesterovs_momentum=False, max_iter=15, shuffle=True,
    tol=0.0, n_iter_no_change=1000, random_state=5,
)
clf.fit(Xtr, ytr)

for i, v in enumerate(clf.loss_curve_, 1):
    print(f"epoch {i} loss {v:.4f}")
print(f"train logloss {log_loss(ytr, clf.predict_proba(Xtr)):.4f}")
print(f"test accuracy {clf.score(Xte, yte):.4f}")
