"""Multi-label tagging of synthetic documents with scikit-learn."""
import warnings

import numpy as np
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

X, Y = make_multilabel_classification(n_samples=1000, n_features=20, n_classes=8, n_labels=3,
                                      random_state=17)
X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
X_train, Y_train, X_test, Y_test = X[:800], Y[:800], X[800:], Y[800:]

model = MLPClassifier(hidden_layer_sizes=(32,), activation="relu", solver="sgd", alpha=0.0,
                      batch_size=50, learning_rate="constant", learning_rate_init=0.04,
                      momentum=0.0, nesterovs_momentum=False, max_iter=30, shuffle=True,
                      random_state=1, tol=0.0, n_iter_no_change=1000, early_stopping=False)
model.fit(X_train, Y_train)


def report(name, x, y):
    p = model.predict_proba(x)
    bce = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    print(f"{name}: cross-entropy per label {bce:.4f}, micro F1 {f1_score(y, p > 0.5, average='micro'):.4f}")


report("train", X_train, Y_train)
report("test", X_test, Y_test)
