"""Positive or negative review? Bag of words and a multilayer perceptron (scikit-learn)."""
import warnings

import numpy as np
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

VOCAB = 180


def make_reviews(n, seed):
    rng = np.random.default_rng(seed)
    base = 1.0 / (np.arange(VOCAB) + 8.0)
    base = rng.permutation(base / base.sum())
    lean = np.zeros(VOCAB)
    charged = rng.choice(VOCAB, 60, replace=False)
    lean[charged] = rng.normal(0.0, 0.7, 60)
    labels = rng.integers(0, 2, n)
    bags = np.zeros((n, VOCAB), dtype="float32")
    for i, label in enumerate(labels):
        p = base * np.exp(lean if label == 1 else -lean)
        length = rng.integers(15, 50)
        words = rng.choice(VOCAB, size=length, p=p / p.sum())
        np.add.at(bags[i], words, 1.0)
    bags = np.log1p(bags)
    bags /= np.linalg.norm(bags, axis=1, keepdims=True)
    return bags.astype("float32"), labels


x, y = make_reviews(2500, seed=77)
x_train, y_train = x[:2000], y[:2000]
x_test, y_test = x[2000:], y[2000:]

clf = MLPClassifier(
    hidden_layer_sizes=(48, 16),
    activation="relu",
    solver="adam",
    alpha=0.05,
    batch_size=50,
    learning_rate_init=1e-3,
    max_iter=12,
    shuffle=True,
    random_state=5,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    clf.fit(x_train, y_train)

for epoch, value in enumerate(clf.loss_curve_, 1):
    print(f"epoch {epoch:2d}  objective {value:.4f}")
prob = clf.predict_proba(x_test)
print(f"test log loss {log_loss(y_test, prob):.4f}  accuracy {clf.score(x_test, y_test):.4f}")
