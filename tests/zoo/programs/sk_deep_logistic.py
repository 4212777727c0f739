"""Seven logistic layers."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, digits

seed, healthy = arguments()
x, y, x_test, y_test = digits(seed)
layers, activation = ((32, 32), "relu") if healthy else ((32,) * 7, "logistic")
mlp = MLPClassifier(
    layers,
    activation=activation,
    solver="sgd",
    learning_rate_init=0.05,
    max_iter=30,
    n_iter_no_change=30,
    random_state=seed,
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y), mlp.score(x_test, y_test))
