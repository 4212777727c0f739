import warnings

import numpy as np
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

BATCH = 32
EPOCHS = 12
LR = 0.002
CLASSES = 5


def make_data():
    rng = np.random.default_rng(55)
    centers = 1.4 * rng.normal(size=(CLASSES, 12))
    x = np.concatenate([c + rng.normal(size=(240, 12)) for c in centers]).astype("float32")
    y = np.repeat(np.arange(CLASSES), 240)
    xte = np.concatenate([c + rng.normal(size=(60, 12)) for c in centers]).astype("float32")
    yte = np.repeat(np.arange(CLASSES), 60)
    return x, y, xte, yte


def main():
    x, y, xte, yte = make_data()
    xtr, xva, ytr, yva = train_test_split(x, y, test_size=0.2, shuffle=True, random_state=10)
    clf = MLPClassifier(
        hidden_layer_sizes=(32,),
        activation="relu",
        solver="adam",
        alpha=0.0,
        batch_size=BATCH,
        learning_rate_init=LR,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        max_iter=EPOCHS,
        shuffle=True,
        early_stopping=False,
        tol=0.0,
        n_iter_no_change=10000,
        random_state=24,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf.fit(xtr, ytr)
    print("train loss first %.4f last %.4f" % (clf.loss_curve_[0], clf.loss_curve_[-1]))
    print("validation loss %.4f" % log_loss(yva, clf.predict_proba(xva), labels=np.arange(CLASSES)))
    print("test loss %.4f" % log_loss(yte, clf.predict_proba(xte), labels=np.arange(CLASSES)))
    print("test acc %.4f" % clf.score(xte, yte))


if __name__ == "__main__":
    main()
