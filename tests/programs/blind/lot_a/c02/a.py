import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier


def load():
    d = load_digits()
    order = np.random.default_rng(0).permutation(len(d.target))
    x = (d.data[order] / 16.0).astype(np.float32)
    y = d.target[order].astype(np.int64)
    return x[:1450], y[:1450], x[1450:], y[1450:]


def main():
    x, y, xt, yt = load()
    clf = MLPClassifier(
        hidden_layer_sizes=(48,), activation="tanh", solver="sgd",
        learning_rate="constant", learning_rate_init=0.02, momentum=0.9, nesterovs_momentum=True,
        alpha=0.05, batch_size=50, shuffle=True, max_iter=15,
        tol=0.0, n_iter_no_change=1_000_000, random_state=5,
    )
    clf.fit(x, y)
    print("train nll %.4f" % log_loss(y, clf.predict_proba(x)))
    print("test nll %.4f acc %.4f" % (log_loss(yt, clf.predict_proba(xt)), clf.score(xt, yt)))


if __name__ == "__main__":
    import warnings
    warnings.filterwarnings("ignore", message="Stochastic Optimizer")
    main()
