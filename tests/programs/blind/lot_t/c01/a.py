import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)


def concrete_like(n=700):
    rng = np.random.default_rng(123)
    x = rng.uniform(-1.7, 1.7, size=(n, 8))
    y = (1.2 * x[:, 0] + np.sin(2 * x[:, 1]) - x[:, 2] * x[:, 3] + 0.5 * np.abs(x[:, 4])
         + 0.1 * rng.normal(size=n))
    return x, (y - y.mean()) / y.std()


x, y = concrete_like()
x_train, y_train, x_test, y_test = x[:560], y[:560], x[560:], y[560:]

reg = MLPRegressor(
    hidden_layer_sizes=(40, 20),
    activation="relu",
    solver="adam",
    alpha=0.05,
    batch_size=56,
    learning_rate_init=0.004,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=40,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=6,
)
reg.fit(x_train, y_train)
for i, v in enumerate(reg.loss_curve_):
    if i % 5 == 4:
        print(f"epoch {i + 1} loss {v:.5f}")
pred = reg.predict(x_test)
print("test rmse", float(np.sqrt(np.mean((pred - y_test) ** 2))))
