import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

BATCH, EPOCHS, LR, MOMENTUM = 100, 12, 0.3, 0.95

digits = load_digits()
order = np.random.RandomState(42).permutation(len(digits.target))[:1500]
X = ((digits.data[order] - 5.0) / 6.0).astype(np.float32)
y = digits.target[order]
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

warnings.simplefilter("ignore", ConvergenceWarning)
model = MLPClassifier((40,), activation="tanh", solver="sgd", alpha=0.0, batch_size=BATCH,
                      learning_rate="constant", learning_rate_init=LR, momentum=MOMENTUM,
                      max_iter=EPOCHS, shuffle=True, random_state=19, tol=0.0,
                      n_iter_no_change=10 ** 6)
model.fit(X_train, y_train)
print("loss curve", np.round(model.loss_curve_, 4))

for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    p = model.predict_proba(a).astype(np.float64)
    p /= p.sum(1, keepdims=True)
    print(name, "log loss %.4f accuracy %.4f" % (log_loss(b, p), accuracy_score(b, p.argmax(1))))
