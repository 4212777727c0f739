import warnings
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = X / 16.0
perm = np.random.RandomState(9).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

clf = MLPClassifier(
    hidden_layer_sizes=(40,),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=60,
    learning_rate="invscaling",
    learning_rate_init=0.3,
    power_t=0.5,
    momentum=0.0,
    nesterovs_momentum=False,
    max_iter=20,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=17,
)
clf.fit(X_train, y_train)
for epoch, value in enumerate(clf.loss_curve_, 1):
    print(f"epoch {epoch}: log loss {value:.4f}")
print("test accuracy", clf.score(X_test, y_test))
