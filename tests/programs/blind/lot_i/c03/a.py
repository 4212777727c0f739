import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

EPOCHS = 40
X, y = load_breast_cancer(return_X_y=True)
order = np.random.RandomState(7).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:448], y[:448]
X_test, y_test = X[448:], y[448:]
mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train = ((X_train - mean) / std).astype(np.float32)
X_test = ((X_test - mean) / std).astype(np.float32)

clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="relu",
    solver="adam",
    alpha=0.5,
    batch_size=64,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=100000,
    random_state=0,
)
clf.fit(X_train, y_train)

for i in range(4, EPOCHS, 5):
    print(f"epoch {i + 1:3d}  training objective {clf.loss_curve_[i]:.5f}")
print(f"test log loss {log_loss(y_test, clf.predict_proba(X_test)[:, 1]):.5f}")
print(f"test accuracy {clf.score(X_test, y_test):.4f}")
