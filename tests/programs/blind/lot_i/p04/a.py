import warnings

import numpy as np
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

EPOCHS = 25
BATCH = 50
ALPHA = 1.5

X, y = make_classification(n_samples=800, n_features=16, n_informative=10, n_redundant=2, n_classes=4,
                           n_clusters_per_class=1, class_sep=1.2, flip_y=0.03, random_state=9)
X = X.astype(np.float32)
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

net = MLPClassifier(hidden_layer_sizes=(40,), activation="tanh", solver="sgd", alpha=ALPHA,
                    batch_size=BATCH, learning_rate="constant", learning_rate_init=0.03,
                    momentum=0.9, nesterovs_momentum=True, max_iter=EPOCHS, shuffle=True,
                    tol=0.0, n_iter_no_change=10**6, random_state=3)
net.fit(X_train, y_train)
for epoch, loss in enumerate(net.loss_curve_, 1):
    print(f"epoch {epoch:2d} training loss {loss:.4f}")
print(f"test log loss {log_loss(y_test, net.predict_proba(X_test)):.4f}")
print(f"test accuracy {net.score(X_test, y_test):.3f}")
