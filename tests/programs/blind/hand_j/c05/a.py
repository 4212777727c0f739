import warnings

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.neural_network import MLPRegressor

BATCH, EPOCHS, ALPHA, LR = 50, 30, 0.4, 3e-3


def load():
    x, y = make_friedman1(n_samples=1150, n_features=10, noise=0.5, random_state=9)
    x_train, x_test, y_train, y_test = x[:830], x[830:], y[:830], y[830:]
    mu, sd = x_train.mean(0), x_train.std(0)
    m, s = y_train.mean(), y_train.std()
    return (((x_train - mu) / sd).astype("float32"), ((y_train - m) / s).astype("float32"),
            ((x_test - mu) / sd).astype("float32"), ((y_test - m) / s).astype("float32"))


x_train, y_train, x_test, y_test = load()

model = MLPRegressor(
    hidden_layer_sizes=(40, 20),
    activation="relu",
    solver="adam",
    alpha=ALPHA,
    batch_size=BATCH,
    learning_rate_init=LR,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=1,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")       # max_iter is the number of epochs we want
    model.fit(x_train, y_train)

for epoch, value in enumerate(model.loss_curve_):
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: objective {value:.5f}")
err = model.predict(x_test) - y_test
print(f"test mse {np.mean(err ** 2):.5f}")
