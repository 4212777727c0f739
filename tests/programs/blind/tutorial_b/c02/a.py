"""Review sentiment from multi-hot bags of words, scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

VOCAB, N_TRAIN, N_TEST = 300, 2000, 500


def make_reviews():
    """Each review draws words from a background law tilted by its sentiment."""
    rng = np.random.RandomState(42)
    base = 1.0 / np.arange(3, VOCAB + 3)
    tilt = 0.6 * rng.randn(VOCAB)
    laws = []
    for sign in (-1, 1):
        p = base * np.exp(sign * tilt)
        laws.append(p / p.sum())
    n = N_TRAIN + N_TEST
    y = rng.randint(0, 2, n)
    x = np.zeros((n, VOCAB), dtype="float32")
    for i in range(n):
        words = rng.choice(VOCAB, size=rng.randint(10, 40), p=laws[y[i]])
        x[i, words] = 1.0
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


x_train, y_train, x_test, y_test = make_reviews()

model = MLPClassifier(
    hidden_layer_sizes=(16, 16),
    activation="relu",
    solver="adam",
    alpha=0.4,
    batch_size=100,
    learning_rate_init=1e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=15,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=7,
)
warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is wanted

# training
model.fit(x_train, y_train)

for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
    p = model.predict_proba(x)[:, 1]
    print(f"{name}: log loss {log_loss(y, p):.4f} accuracy {accuracy_score(y, p > 0.5):.4f}")
