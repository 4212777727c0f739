import warnings
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype(np.float32)
held_out = np.random.RandomState(0).rand(len(X)) < 0.2
X_test, y_test = X[held_out], y[held_out]
X_train, y_train = X[~held_out], y[~held_out]
by_class = np.argsort(y_train, kind="stable")[:1400]
X_train, y_train = X_train[by_class], y_train[by_class]

clf = MLPClassifier(hidden_layer_sizes=(50,), activation="relu", solver="sgd", alpha=0.01,
                    batch_size=70, learning_rate="constant", learning_rate_init=0.035,
                    momentum=0.9, nesterovs_momentum=False, max_iter=15, tol=0.0,
                    n_iter_no_change=50, random_state=4)
clf.fit(X_train, y_train)

prob = clf.predict_proba(X_test)
print("test log loss: %.4f" % -np.log(np.maximum(prob[np.arange(len(y_test)), y_test], 1e-12)).mean())
print("test accuracy: %.4f" % (prob.argmax(axis=1) == y_test).mean())
