import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

digits = load_digits()
order = np.random.RandomState(123).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype(np.float32)
y = digits.target[order]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

clf = MLPClassifier(
    hidden_layer_sizes=(40,),
    activation="relu",
    solver="adam",
    alpha=0.01,
    batch_size=40,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=14,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=0,
    verbose=True,
)
clf.fit(X_train, y_train)

prob = clf.predict_proba(X_test)
print("test log loss", round(log_loss(y_test, prob), 4))
print("test accuracy", round(float((prob.argmax(1) == y_test).mean()), 4))
