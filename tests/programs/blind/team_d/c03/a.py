"""Anomaly autoencoder on machine telemetry with scikit-learn."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(9)
    d, k = 20, 4
    mix = rng.normal(size=(k, d)) / np.sqrt(k)

    def normal(n):
        z = rng.normal(size=(n, k))
        return np.tanh(z @ mix) + 0.1 * rng.normal(size=(n, d))

    train = normal(2000)
    good = normal(400)
    bad = normal(100)
    cols = rng.integers(0, d, size=(100, 3))
    for i in range(100):
        bad[i, cols[i]] += rng.normal(size=3) * 0.8
    mu, sd = train.mean(0), train.std(0)
    test = np.concatenate([good, bad])
    label = np.r_[np.zeros(400), np.ones(100)]
    return ((train - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label


def build():
    return MLPRegressor(
        loss="squared_error", hidden_layer_sizes=(16, 5, 16), activation="tanh", solver="adam",
        alpha=0.05, batch_size=100, learning_rate_init=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
        max_iter=25, shuffle=True, random_state=1, tol=0.0, n_iter_no_change=1000, early_stopping=False)


def main():
    x, x_test, label = make_data()
    net = build()
    net.fit(x, x)
    for name, part in (("train", x), ("test normal", x_test[label == 0])):
        print("%s reconstruction mse %.4f" % (name, np.mean((net.predict(part) - part) ** 2)))
    score = np.mean((net.predict(x_test) - x_test) ** 2, axis=1)
    print("AUC of the anomaly score %.4f" % roc_auc_score(label, score))


if __name__ == "__main__":
    main()
