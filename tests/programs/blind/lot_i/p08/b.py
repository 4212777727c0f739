import warnings

import numpy as np
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore")

EPOCHS = 20
BATCH = 50


def make_data():
    rng = np.random.RandomState(44)
    X = rng.uniform(-1.5, 1.5, size=(1200, 8))
    A = rng.normal(size=(8, 6)) / 2
    B = rng.normal(size=(8, 6)) / 2
    Y = np.sin(X @ A) + 0.5 * (X @ B) ** 2 - 0.5 + 0.05 * rng.normal(size=(1200, 6))
    return (X[:1000].astype("float32"), Y[:1000].astype("float32"),
            X[1000:].astype("float32"), Y[1000:].astype("float32"))


X_train, Y_train, X_test, Y_test = make_data()
model = MLPRegressor(
    hidden_layer_sizes=(64,),
    activation="tanh",
    solver="sgd",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=False,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=EPOCHS + 1,
    random_state=9,
)
model.fit(X_train, Y_train)
for epoch, value in enumerate(model.loss_curve_, start=1):
    print(f"epoch {epoch} loss {value:.5f}")

err = model.predict(X_test) - Y_test
print(f"test mse {np.mean(err ** 2):.5f}")
