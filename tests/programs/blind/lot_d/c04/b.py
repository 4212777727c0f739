import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")

bunch = load_breast_cancer()
perm = np.random.RandomState(7).permutation(569)
X, y = bunch.data[perm], bunch.target[perm]
X = (X - X[:400].mean(axis=0)) / X[:400].std(axis=0)
X = X.astype("float32")
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

clf = MLPClassifier(
    hidden_layer_sizes=(20, 10),
    activation="logistic",
    solver="sgd",
    alpha=0.05,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.1,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=1,
)
clf.fit(X_train, y_train)

prob = clf.predict_proba(X_test)[:, 1].astype("float64")
print("training loss, last epoch: %.5f" % clf.loss_)
print("test log loss: %.5f" % -np.mean(np.where(y_test == 1, np.log(prob), np.log1p(-prob))))
print("test accuracy: %.4f" % np.mean((prob > 0.5) == y_test))
