"""Movie-review style sentiment from multi-hot word vectors: scikit-learn, one partial_fit per epoch,
stopping when the validation loss no longer falls."""
import numpy as np
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

VOCAB = 400
N_TRAIN, N_VAL, N_TEST = 1250, 400, 400
MAX_EPOCHS = 30
PATIENCE = 3


def make_reviews():
    rng = np.random.RandomState(5)
    n = N_TRAIN + N_VAL + N_TEST
    base = 1.0 / np.arange(3, VOCAB + 3)
    tilt = rng.normal(0.0, 0.45, size=VOCAB)
    p_pos = base * np.exp(tilt)
    p_neg = base * np.exp(-tilt)
    p_pos /= p_pos.sum()
    p_neg /= p_neg.sum()
    y = rng.randint(0, 2, size=n)
    x = np.zeros((n, VOCAB), dtype=np.float32)
    for i in range(n):
        length = rng.randint(15, 60)
        words = rng.choice(VOCAB, size=length, p=p_pos if y[i] else p_neg)
        x[i, words] = 1.0
    cut = N_TRAIN + N_VAL
    return (x[:N_TRAIN], y[:N_TRAIN]), (x[N_TRAIN:cut], y[N_TRAIN:cut]), (x[cut:], y[cut:])


def make_classifier():
    # a RandomState object (not an int): the order of the batches then changes from epoch to epoch
    return MLPClassifier(hidden_layer_sizes=(16, 16), activation="relu", solver="adam", alpha=0.0,
                         learning_rate_init=0.001, beta_1=0.9, beta_2=0.999,
                         epsilon=1e-8, shuffle=True, early_stopping=False,
                         random_state=np.random.RandomState(11))


def main():
    (x_tr, y_tr), (x_va, y_va), (x_te, y_te) = make_reviews()
    clf = make_classifier()
    best, best_weights, bad = np.inf, None, 0
    for epoch in range(MAX_EPOCHS):
        clf.partial_fit(x_tr, y_tr, classes=[0, 1])
        val = log_loss(y_va, clf.predict_proba(x_va), labels=[0, 1])
        print(f"epoch {epoch + 1:2d}  train {clf.loss_:.4f}  val {val:.4f}  val acc {clf.score(x_va, y_va):.4f}")
        if val < best:
            best, bad = val, 0
            best_weights = ([w.copy() for w in clf.coefs_], [b.copy() for b in clf.intercepts_])
        else:
            bad += 1
            if bad >= PATIENCE:
                print("stopping early")
                break
    clf.coefs_, clf.intercepts_ = best_weights
    print(f"test loss {log_loss(y_te, clf.predict_proba(x_te), labels=[0, 1]):.4f}  "
          f"test acc {clf.score(x_te, y_te):.4f}")


if __name__ == "__main__":
    main()
