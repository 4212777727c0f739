"""Three noisy spirals with scikit-learn's MLPClassifier (Adam)."""
import numpy as np
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier


def spirals(n_per, rng):
    xs, ys = [], []
    for c in range(3):
        r = np.sqrt(rng.uniform(0.02, 1.0, n_per))
        angle = 3.5 * r + c * 2 * np.pi / 3 + rng.normal(0, 0.15, n_per)
        xs.append(np.stack([r * np.cos(angle), r * np.sin(angle)], 1) * 2.0)
        ys.append(np.full(n_per, c))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys)


rng = np.random.default_rng(55)
x_train, y_train = spirals(310, rng)
x_test, y_test = spirals(150, rng)

clf = MLPClassifier(
    hidden_layer_sizes=(50, 25),
    activation="relu",
    solver="adam",
    learning_rate_init=3e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    alpha=0.02,
    batch_size=60,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10000,
    early_stopping=False,
    random_state=4,
)
# training
clf.fit(x_train, y_train)

for epoch in range(4, 30, 5):
    print(f"epoch {epoch + 1} loss {clf.loss_curve_[epoch]:.4f}")
print("test log loss", log_loss(y_test, clf.predict_proba(x_test)))
print("test accuracy", clf.score(x_test, y_test))
