"""Card fraud with class weights, scikit-learn."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(31)
    n = 5000
    amount = rng.exponential(1.0, n)
    night = rng.uniform(size=n) < 0.3
    velocity = rng.poisson(2.0, n)
    foreign = rng.uniform(size=n) < 0.15
    other = rng.normal(size=(n, 8))
    z = (-4.6 + 0.9 * amount * foreign + 1.2 * night * (velocity > 3) + 0.7 * other[:, 0] - 0.6 * other[:, 1]
         + 0.8 * other[:, 2] * other[:, 3] + 0.5 * amount)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-z))).astype(int)
    x = np.column_stack([np.log1p(amount), night, velocity / 3, foreign, other])
    x = (x - x[:4000].mean(0)) / x[:4000].std(0)
    x = x.astype("float32")
    return x[:4000], y[:4000], x[4000:], y[4000:]


def build():
    return MLPClassifier(
        hidden_layer_sizes=(24, 12), activation="relu", solver="sgd", alpha=0.0, batch_size=125,
        learning_rate="constant", learning_rate_init=0.02, momentum=0.9, nesterovs_momentum=True,
        max_iter=12, shuffle=True, random_state=6, tol=0.0, n_iter_no_change=1000, early_stopping=False)


def main():
    x, y, xt, yt = make_data()
    pos = y.mean()
    weight = np.where(y == 1, 0.5 / pos, 0.5 / (1 - pos)).astype("float32")
    clf = build()
    clf.fit(x, y, sample_weight=weight)
    for epoch, value in enumerate(clf.loss_curve_):
        print(f"epoch {epoch + 1} weighted log loss {value:.4f}")
    p = clf.predict_proba(xt)[:, 1]
    wt = np.where(yt == 1, 0.5 / pos, 0.5 / (1 - pos))
    print(f"test weighted log loss {log_loss(yt, p, sample_weight=wt):.4f}")
    print(f"test ROC AUC {roc_auc_score(yt, p):.4f} average precision {average_precision_score(yt, p):.4f}")


if __name__ == "__main__":
    main()
