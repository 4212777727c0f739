"""Nonlinear regression with scikit-learn's MLPRegressor (SGD, Nesterov)."""
import numpy as np
from sklearn.neural_network import MLPRegressor


def make_data():
    rng = np.random.default_rng(314)
    x = rng.uniform(0, 1, size=(1350, 8))
    y = (
        10 * np.sin(np.pi * x[:, 0] * x[:, 1])
        + 20 * (x[:, 2] - 0.5) ** 2
        + 10 * x[:, 3]
        + 5 * x[:, 4]
        + rng.normal(0, 1.0, size=1350)
    )
    x = (x - 0.5) * np.sqrt(12.0)
    y = (y - y[:1000].mean()) / y[:1000].std()
    return x[:1000], y[:1000], x[1000:], y[1000:]


x_train, y_train, x_test, y_test = make_data()

reg = MLPRegressor(
    hidden_layer_sizes=(40,),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.05,
    batch_size=64,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10000,
    early_stopping=False,
    random_state=8,
)
# training
reg.fit(x_train, y_train)

for epoch, value in enumerate(reg.loss_curve_, 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} loss {value:.5f}")
pred = reg.predict(x_test)
print("test mse", np.mean((pred - y_test) ** 2))
print("test r2 ", reg.score(x_test, y_test))
