import warnings
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

cancer = load_breast_cancer()
X = cancer.data
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = cancer.target
perm = np.random.RandomState(33).permutation(len(y))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:480], y[:480], X[480:], y[480:]

clf = MLPClassifier(
    hidden_layer_sizes=(16,), activation="logistic", solver="sgd", alpha=0.0, batch_size=32,
    learning_rate="invscaling", learning_rate_init=0.1, power_t=0.5, momentum=0.9,
    nesterovs_momentum=True, max_iter=20, tol=0.0, n_iter_no_change=1000, random_state=2,
)
clf.fit(X_train, y_train)
for i, v in enumerate(clf.loss_curve_):
    print(i + 1, round(float(v), 5))
print("test accuracy", float((clf.predict(X_test) == y_test).mean()))
