"""Node classification with a simplified graph convolution: propagate the features twice over the
normalised adjacency, then fit an ordinary MLP on the labelled nodes (scikit-learn)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

N_NODES, N_CLASSES, N_FEATURES, N_LABELLED = 400, 4, 40, 100


def make_graph():
    rng = np.random.RandomState(19)
    labels = rng.randint(0, N_CLASSES, N_NODES)
    same = labels[:, None] == labels[None]
    upper = np.triu(rng.rand(N_NODES, N_NODES) < np.where(same, 0.035, 0.007), 1)
    adj = (upper | upper.T).astype(np.float64)
    centers = rng.normal(0, 0.45, (N_CLASSES, N_FEATURES))
    feats = centers[labels] + rng.normal(0, 1.0, (N_NODES, N_FEATURES))
    train = np.zeros(N_NODES, dtype=bool)
    train[rng.permutation(N_NODES)[:N_LABELLED]] = True
    loops = adj + np.eye(N_NODES)
    d = 1.0 / np.sqrt(loops.sum(1))
    return (loops * d[:, None] * d[None]).astype(np.float32), feats.astype(np.float32), labels, train


def main():
    s, x, y, train = make_graph()
    z = s @ (s @ x)
    clf = MLPClassifier(hidden_layer_sizes=(16,), activation="relu", solver="adam", alpha=0.5,
                        batch_size=N_LABELLED, learning_rate_init=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12,
                        max_iter=200, tol=0.0, n_iter_no_change=100000, early_stopping=False, shuffle=False,
                        random_state=6)
    clf.fit(z[train], y[train])
    p = clf.predict_proba(z)[np.arange(N_NODES), y]
    print(f"epochs {clf.n_iter_}")
    print(f"train: cross-entropy {-np.log(p[train]).mean():.4f}  accuracy {clf.score(z[train], y[train]):.4f}")
    print(f"rest:  cross-entropy {-np.log(p[~train]).mean():.4f}  accuracy {clf.score(z[~train], y[~train]):.4f}")


if __name__ == "__main__":
    main()
