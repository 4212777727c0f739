import warnings

import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")


def load():
    data = load_wine()
    X, y = data.data, data.target
    order = np.random.RandomState(6).permutation(len(X))
    X, y = X[order], y[order]
    X = (X - X[:140].mean(0)) / X[:140].std(0)
    return X, y


X, y = load()
clf = MLPClassifier(
    hidden_layer_sizes=(16, 8), activation="tanh", solver="adam", alpha=0.05, batch_size=30,
    learning_rate_init=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-12,
    max_iter=40, shuffle=True, tol=0.0, n_iter_no_change=10000, early_stopping=False, random_state=0,
)
clf.fit(X[:140], y[:140])
print("train log loss", log_loss(y[:140], clf.predict_proba(X[:140])))
print("test log loss", log_loss(y[140:], clf.predict_proba(X[140:])))
print("test accuracy", clf.score(X[140:], y[140:]))
