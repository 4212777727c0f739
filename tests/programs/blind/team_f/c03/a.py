"""Anomaly detection on machine sensors: autoencoder with scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(31)
    mix1, mix2 = rng.normal(size=(4, 10)), rng.normal(size=(10, 18)) / 3

    def machine(n):
        z = rng.normal(size=(n, 4))
        return np.tanh(z @ mix1) @ mix2 + 0.1 * rng.normal(size=(n, 18))

    train, normal = machine(1500), machine(400)
    broken = machine(100)
    broken[:, rng.permutation(18)[:6]] += rng.normal(0, 0.9, size=(100, 6))
    mean, std = train.mean(0), train.std(0)
    scale = lambda a: ((a - mean) / std).astype(np.float32)
    return scale(train), scale(normal), scale(broken)


def build_model():
    return MLPRegressor(
        loss="squared_error",
        hidden_layer_sizes=(14, 5, 14),
        activation="tanh",
        solver="sgd",
        learning_rate="constant",
        learning_rate_init=0.01,
        momentum=0.9,
        nesterovs_momentum=True,
        alpha=0.02,
        batch_size=64,
        max_iter=22,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=1000,
        early_stopping=False,
        random_state=3,
    )


def main():
    train, normal, broken = make_data()
    model = build_model()
    model.fit(train, train)
    for epoch, loss in enumerate(model.loss_curve_, 1):
        print(f"epoch {epoch}: training objective {loss:.4f}")
    err_n = ((model.predict(normal) - normal) ** 2).mean(1)
    err_b = ((model.predict(broken) - broken) ** 2).mean(1)
    auc = roc_auc_score(np.r_[np.zeros(len(err_n)), np.ones(len(err_b))], np.r_[err_n, err_b])
    print(f"reconstruction mse normal {err_n.mean():.4f} broken {err_b.mean():.4f}  auc {auc:.3f}")


if __name__ == "__main__":
    main()
