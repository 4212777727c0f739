"""Anomaly detection by reconstruction error: scikit-learn MLPRegressor as autoencoder."""
import warnings

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore")

SENSORS, BATCH, EPOCHS, LR, ALPHA = 24, 64, 12, 2e-3, 0.05
LAYERS = (16, 5, 16)


def make_data():
    rng = np.random.RandomState(31)
    mix = rng.randn(4, SENSORS)

    def normal(n):
        z = rng.randn(n, 4)
        z[:, 3] = z[:, 0] * z[:, 1]
        return np.tanh(0.6 * z @ mix) + 0.1 * rng.randn(n, SENSORS)

    train = normal(2560)
    good = normal(800)
    bad = normal(200)
    for row in bad:  # a few sensors drift
        k = rng.choice(SENSORS, 3, replace=False)
        row[k] += rng.choice([-1.0, 1.0], 3) * rng.uniform(0.4, 1.0, 3)
    mean, std = train.mean(0), train.std(0)
    f = lambda a: ((a - mean) / std).astype("float32")
    test = np.concatenate([f(good), f(bad)])
    label = np.r_[np.zeros(len(good)), np.ones(len(bad))]
    return f(train), test, label


def build(seed=3):
    return MLPRegressor(loss="squared_error", hidden_layer_sizes=LAYERS, activation="tanh",
                        solver="adam", alpha=ALPHA, batch_size=BATCH,
                        learning_rate="constant", learning_rate_init=LR, max_iter=EPOCHS,
                        shuffle=True, random_state=seed, tol=0.0, n_iter_no_change=10_000,
                        early_stopping=False, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


def main():
    train, test, label = make_data()
    ae = build().fit(train, train)
    print("weights", sum(w.size for w in ae.coefs_) + sum(b.size for b in ae.intercepts_))
    err = ((ae.predict(test) - test) ** 2).mean(axis=1)
    fit_err = ((ae.predict(train) - train) ** 2).mean()
    print("epochs", ae.n_iter_)
    print(f"train mse {fit_err:.4f}")
    print(f"test mse normal {err[label == 0].mean():.4f} anomalous {err[label == 1].mean():.4f}")
    print(f"auc {roc_auc_score(label, err):.4f}")


if __name__ == "__main__":
    main()
