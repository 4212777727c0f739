import numpy as np
from sklearn.neural_network import MLPRegressor

rng = np.random.RandomState(21)
X = rng.uniform(0, 1, (768, 8)).astype(np.float32)
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, 768))
X = (X - 0.5) / 0.29
y = ((y - y[:512].mean()) / y[:512].std()).astype(np.float32)
X = X.astype(np.float32)
X_train, y_train, X_test, y_test = X[:512], y[:512], X[512:], y[512:]

model = MLPRegressor(
    hidden_layer_sizes=(40,),
    activation="relu",
    solver="adam",
    alpha=0.0,
    batch_size=64,
    learning_rate_init=5e-3,
    max_iter=64,
    shuffle=True,
    random_state=5,
    tol=0.0,
    n_iter_no_change=100000,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
)
import warnings
from sklearn.exceptions import ConvergenceWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)

for name, data, target in (("train", X_train, y_train), ("test", X_test, y_test)):
    pred = model.predict(data)
    mse = np.mean((pred - target) ** 2)
    print(f"{name} mse {mse:.4f} r2 {1 - mse / target.var():.4f}")
