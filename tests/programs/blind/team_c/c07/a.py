"""Fraud detection with weights against the imbalance: scikit-learn MLPClassifier."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neural_network import MLPClassifier

N_TRAIN, N_TEST, D = 3030, 1000, 14
BATCH, EPOCHS, LR, ALPHA = 100, 8, 2e-3, 0.05
FRAUD_WEIGHT = 6.0


def make_data():
    rng = np.random.RandomState(4711)
    n = N_TRAIN + N_TEST
    x = rng.randn(n, D)
    x[:, 0] = np.log1p(rng.gamma(2.0, 1.0, n)) * 2 - 2
    z = 1.4 * x[:, 0] + 1.1 * x[:, 1] * x[:, 2] - 1.2 * np.maximum(x[:, 3], 0) + 0.9 * (np.abs(x[:, 4]) > 1.2)
    z = z + 0.8 * x[:, 5] + 0.4 * rng.randn(n)
    y = (z > np.quantile(z, 0.92)).astype("int64")
    x = x.astype("float32")
    w = np.where(y == 1, FRAUD_WEIGHT, 1.0).astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], w[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def report(p, y):
    print(f"test auc {roc_auc_score(y, p):.4f} average precision {average_precision_score(y, p):.4f}")


def make_net():
    return MLPClassifier(hidden_layer_sizes=(24, 12), activation="relu", solver="adam", alpha=ALPHA,
                         batch_size=BATCH, learning_rate_init=LR, max_iter=EPOCHS, shuffle=True,
                         random_state=7, tol=0.0, n_iter_no_change=10 ** 6, early_stopping=False,
                         beta_1=0.9, beta_2=0.999, epsilon=1e-8)


def main():
    x, y, w, x_te, y_te = make_data()
    net = make_net()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(x, y, sample_weight=w)
    for epoch, loss in enumerate(net.loss_curve_):
        print(f"epoch {epoch + 1} loss {loss:.4f}")
    report(net.predict_proba(x_te)[:, 1], y_te)


if __name__ == "__main__":
    main()
