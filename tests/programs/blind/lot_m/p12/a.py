import numpy as np
from sklearn.neural_network import MLPRegressor

rng = np.random.default_rng(61)
X = rng.normal(size=(1100, 7)).astype("float32")
y = (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] + 0.05 * rng.normal(size=1100)).astype("float32")
Xtr, ytr, Xte, yte = X[:900], y[:900], X[900:], y[900:]

reg = MLPRegressor(
    hidden_layer_sizes=(50,),
    activation="relu",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.15,
    momentum=0.9,
    alpha=0.0,
    batch_size=45,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**6,
    random_state=19,
)
reg.fit(Xtr, ytr)
for i, v in enumerate(reg.loss_curve_):
    print("epoch", i + 1, "loss", round(float(v), 5))
print("test mse", float(np.mean((reg.predict(Xte) - yte) ** 2)))
