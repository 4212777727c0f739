import warnings
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_digits(return_X_y=True)
shuffle = np.random.RandomState(99).permutation(X.shape[0])
X, y = (X[shuffle] / 16.0).astype(np.float32), y[shuffle]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

clf = MLPClassifier(hidden_layer_sizes=(40, 20), activation="tanh", solver="adam",
                    alpha=0.2, batch_size=50, learning_rate_init=0.003,
                    beta_1=0.9, beta_2=0.999, epsilon=1e-8,
                    max_iter=15, shuffle=True, tol=0.0, n_iter_no_change=100,
                    early_stopping=False, random_state=1)
clf.fit(X_train, y_train)

prob = clf.predict_proba(X_test)
print("log loss %.4f" % -np.mean(np.log(prob[np.arange(len(y_test)), y_test])),
      "accuracy %.4f" % np.mean(prob.argmax(1) == y_test))
