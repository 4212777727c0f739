"""House price regressor, scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_houses(n=1500, seed=7):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    distance = rng.exponential(6.0, n)
    floor = rng.integers(0, 12, n)
    garden = (rng.random(n) < 0.3).astype(float)
    crime = rng.beta(2, 6, n)
    school = rng.normal(0, 1, n)
    price = (
        0.021 * area
        + 0.12 * rooms
        + 1.3 * np.exp(-distance / 5)
        + 0.25 * garden * (floor < 2)
        - 0.9 * crime * (1 + 0.5 * (distance < 4))
        + 0.2 * np.tanh(school)
        + 0.3 * np.cos(age / 20)
        + rng.normal(0, 0.12, n)
    )
    X = np.column_stack([area, rooms, age, distance, floor, garden, crime, school])
    return X, price


X, y = make_houses()
X_train, y_train = X[:1200], y[:1200]
X_test, y_test = X[1200:], y[1200:]

mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train = ((X_train - mean) / std).astype(np.float32)
X_test = ((X_test - mean) / std).astype(np.float32)
y_mean, y_std = y_train.mean(), y_train.std()
y_train = ((y_train - y_mean) / y_std).astype(np.float32)
y_test = ((y_test - y_mean) / y_std).astype(np.float32)

EPOCHS = 20
model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(48, 24),
    activation="relu",
    solver="sgd",
    alpha=0.02,
    batch_size=60,
    learning_rate="constant",
    learning_rate_init=0.01,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10 * EPOCHS,
    early_stopping=False,
    random_state=3,
)
model.fit(X_train, y_train)

for epoch, loss in enumerate(model.loss_curve_, 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  loss {loss:.4f}")

for name, Xs, ys in (("train", X_train, y_train), ("test", X_test, y_test)):
    pred = model.predict(Xs)
    print(f"{name}: mse {mean_squared_error(ys, pred):.4f}  r2 {r2_score(ys, pred):.4f}")
