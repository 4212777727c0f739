import warnings
import numpy as np
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

data = load_wine()
X = data.data.astype("float64")
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = data.target
perm = np.random.RandomState(7).permutation(len(y))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:140], y[:140], X[140:], y[140:]

clf = MLPClassifier(
    hidden_layer_sizes=(24, 12), activation="relu", solver="adam", alpha=0.5,
    batch_size=20, learning_rate_init=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12,
    max_iter=30, shuffle=True, tol=0.0, n_iter_no_change=1000, early_stopping=False,
    random_state=5,
)
clf.fit(X_train, y_train)
for i, l in enumerate(clf.loss_curve_):
    print(i, round(float(l), 5))
print("test accuracy", float((clf.predict(X_test) == y_test).mean()))
