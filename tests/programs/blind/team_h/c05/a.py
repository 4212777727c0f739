"""Card fraud: few positives, weighted up.  scikit-learn."""
import warnings

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.datasets import make_classification

X, y = make_classification(n_samples=6000, n_features=22, n_informative=10, n_redundant=4,
                           n_clusters_per_class=3, weights=[0.93], flip_y=0.01,
                           class_sep=1.1, random_state=2025)
X = X.astype("float32")
X_train, y_train, X_test, y_test = X[:4000], y[:4000], X[4000:], y[4000:]
mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
FRAUD_WEIGHT = 8.0
weight = np.where(y_train == 1, FRAUD_WEIGHT, 1.0).astype("float32")

warnings.simplefilter("ignore")
clf = MLPClassifier(
    hidden_layer_sizes=(32, 12), activation="relu", solver="sgd", alpha=0.5,
    batch_size=100, learning_rate="constant", learning_rate_init=0.02, momentum=0.9,
    nesterovs_momentum=True, max_iter=8, shuffle=True, tol=0.0, n_iter_no_change=1000,
    early_stopping=False, random_state=12)
clf.fit(X_train, y_train, sample_weight=weight)

p = clf.predict_proba(X_test)[:, 1]
w_test = np.where(y_test == 1, FRAUD_WEIGHT, 1.0)
print("frauds in training:", int(y_train.sum()))
print("parameters:", sum(a.size for a in clf.coefs_ + clf.intercepts_))
print("weighted test log loss: %.4f" % log_loss(y_test, p, sample_weight=w_test))
print("average precision: %.4f" % average_precision_score(y_test, p))
print("auc: %.4f" % roc_auc_score(y_test, p))
