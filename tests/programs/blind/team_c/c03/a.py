"""Anomaly detection on machine telemetry: autoencoder with scikit-learn's MLPRegressor."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

N_TRAIN, N_NORMAL, N_ANOM, D = 2000, 400, 100, 18
BATCH, EPOCHS, LR, ALPHA = 50, 12, 0.01, 0.02


def make_data():
    rng = np.random.RandomState(314)
    mix = rng.randn(4, D)
    mix2 = rng.randn(4, D) * 0.5

    def normal(n):
        z = rng.randn(n, 4)
        return np.tanh(z @ mix * 0.6) + np.sin(z) @ mix2 * 0.4 + 0.1 * rng.randn(n, D)

    x = normal(N_TRAIN)
    mu, sd = x.mean(0), x.std(0)
    ok = normal(N_NORMAL)
    bad = normal(N_ANOM)
    for row in bad:
        k = rng.choice(D, 4, replace=False)
        row[k] += rng.choice([-1, 1], 4) * rng.uniform(0.8, 1.6, 4)
    test = np.concatenate([ok, bad])
    label = np.r_[np.zeros(N_NORMAL), np.ones(N_ANOM)]
    return ((x - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label


def report(x_test, recon, label):
    score = ((recon - x_test) ** 2).mean(axis=1)
    print(f"test error normal {score[label == 0].mean():.4f} anomalous {score[label == 1].mean():.4f} "
          f"auc {roc_auc_score(label, score):.4f}")


def make_net():
    return MLPRegressor(hidden_layer_sizes=(12, 4, 12), activation="tanh", solver="sgd", alpha=ALPHA,
                        batch_size=BATCH, learning_rate="constant", learning_rate_init=LR,
                        max_iter=EPOCHS, shuffle=True, random_state=1, tol=0.0, momentum=0.9,
                        nesterovs_momentum=True, early_stopping=False, n_iter_no_change=10 ** 6)


def main():
    x, x_test, label = make_data()
    net = make_net()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(x, x)
    for epoch, loss in enumerate(net.loss_curve_):
        print(f"epoch {epoch + 1} loss {loss:.4f}")
    report(x_test, net.predict(x_test), label)


if __name__ == "__main__":
    main()
