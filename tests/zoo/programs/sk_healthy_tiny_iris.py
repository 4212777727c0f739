"""Thirty samples, a small network, many epochs."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, bundled

seed, _ = arguments()
x, y, x_test, y_test = bundled("iris", seed=seed, test=0.8)
mlp = MLPClassifier((16,), learning_rate_init=0.01, max_iter=200, random_state=seed)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x_test, y_test))
