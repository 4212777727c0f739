"""learning_rate_init=1 with Adam."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, digits

seed, healthy = arguments()
x, y, x_test, y_test = digits(seed)
mlp = MLPClassifier(
    (64, 32), learning_rate_init=1e-3 if healthy else 1.0, max_iter=40, random_state=seed, n_iter_no_change=40
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x_test, y_test))
