import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(23)
N, F, C = 860, 25, 4
centers = rng.normal(0, 1.0, size=(8, F))
group = rng.integers(0, 8, size=N)
X = (centers[group] + 1.6 * rng.standard_normal((N, F))).astype("float32")
y = group % C
X_train, y_train = X[:160], y[:160]
X_test, y_test = X[460:], y[460:]

clf = MLPClassifier(
    hidden_layer_sizes=(32,),
    activation="relu",
    solver="adam",
    learning_rate_init=0.003,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    alpha=0.0,
    batch_size=20,
    max_iter=40,
    early_stopping=True,
    n_iter_no_change=14,
    tol=1e-6,
    shuffle=True,
    random_state=17,
)
clf.fit(X_train, y_train)
print("epochs", clf.n_iter_)
print(f"test accuracy {clf.score(X_test, y_test):.4f}")
print(f"test log loss {log_loss(y_test, clf.predict_proba(X_test)):.4f}")
