import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(42)
n, d, k = 1500, 12, 5
centers = rng.normal(0.0, 1.3, (k, 2, d))
labels = rng.integers(0, k, n)
which = rng.integers(0, 2, n)
X = (centers[labels, which] + rng.normal(0.0, 1.0, (n, d))).astype("float32")
y = labels.astype("int64")
X_train, y_train = X[:1200], y[:1200]
X_test, y_test = X[1200:], y[1200:]

clf = MLPClassifier(
    hidden_layer_sizes=(40, 20),
    activation="tanh",
    solver="adam",
    alpha=0.3,
    batch_size=60,
    learning_rate_init=3e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=15,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=100000,
    random_state=5,
)
clf.fit(X_train, y_train)
for epoch, loss in enumerate(clf.loss_curve_):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")

proba = clf.predict_proba(X_test)
nll = -np.log(proba[np.arange(len(y_test)), y_test]).mean()
print(f"test nll {nll:.4f} accuracy {clf.score(X_test, y_test):.4f}")
