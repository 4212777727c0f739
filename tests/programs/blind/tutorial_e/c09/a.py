"""Three yes/no questions about one customer, answered by one network with a shared trunk (scikit-learn)."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier


def make_customers(n=1600):
    rng = np.random.default_rng(64)
    x = rng.normal(size=(n, 10))
    hidden = np.tanh(x @ rng.normal(0, 0.8, size=(10, 5)))
    scores = hidden @ rng.normal(0, 1.5, size=(5, 3)) + 0.3 * rng.normal(size=(n, 3))
    y = (scores > np.array([0.0, 0.5, -0.5])).astype("int64")
    x = x.astype("float32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


def main():
    xtr, ytr, xte, yte = make_customers()
    # 1200 rows are exactly 30 batches of 40
    clf = MLPClassifier(
        hidden_layer_sizes=(24, 12), activation="relu", solver="sgd",
        learning_rate="constant", learning_rate_init=0.02, momentum=0.9, nesterovs_momentum=True,
        alpha=0.04, batch_size=40, shuffle=True, max_iter=15, tol=0.0, n_iter_no_change=10 ** 6,
        early_stopping=False, random_state=9,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(xtr, ytr)
    for epoch, value in enumerate(clf.loss_curve_):
        print(f"epoch {epoch}: objective {value:.4f}")
    p = np.clip(clf.predict_proba(xte).astype("float64"), 1e-7, 1 - 1e-7)
    ce = -(yte * np.log(p) + (1 - yte) * np.log(1 - p))
    print("test cross-entropy, sum of the tasks:", round(float(ce.sum(axis=1).mean()), 4))
    print("test accuracy of each task:", ((p > 0.5) == yte).mean(axis=0))


if __name__ == "__main__":
    main()
