"""House price model, scikit-learn version."""
import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler


def make_houses(n=2500, seed=2024):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(6.0, n)
    floor = rng.integers(0, 12, n)
    garden = rng.binomial(1, 0.35, n)
    school = rng.normal(0, 1, n)
    noise_db = 45 + 20 * np.exp(-dist / 5) + rng.normal(0, 3, n)
    price = (
        2.4 * area + 9 * rooms - 0.9 * age + 0.011 * (age - 45) ** 2
        + 160 * np.exp(-dist / 7) + 2 * floor + garden * (15 + 0.1 * area)
        + 14 * np.tanh(school) - 0.6 * (noise_db - 45) + rng.normal(0, 18, n)
    )
    X = np.column_stack([area, rooms, age, dist, floor, garden, school, noise_db])
    return X, price


X, y = make_houses()
X_train, X_test = X[:2000], X[2000:]
y_train, y_test = y[:2000], y[2000:]

x_scaler = StandardScaler().fit(X_train)
y_scaler = StandardScaler().fit(y_train[:, None])
X_train = x_scaler.transform(X_train).astype(np.float32)
X_test = x_scaler.transform(X_test).astype(np.float32)
t_train = y_scaler.transform(y_train[:, None]).ravel().astype(np.float32)

EPOCHS = 25
model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(64, 32),
    activation="relu",
    solver="adam",
    alpha=0.1,
    batch_size=100,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10 * EPOCHS,
    early_stopping=False,
    random_state=7,
)
model.fit(X_train, t_train)

for epoch, loss in enumerate(model.loss_curve_, 1):
    if epoch % 5 == 0 or epoch == 1:
        print(f"epoch {epoch:3d}  loss {loss:.5f}")

pred = y_scaler.inverse_transform(model.predict(X_test)[:, None]).ravel()
print(f"test MAE {mean_absolute_error(y_test, pred):.3f}  R2 {r2_score(y_test, pred):.4f}")
