"""Inputs and labels were shuffled apart."""

import numpy as np
from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, digits

seed, healthy = arguments()
x, y, x_test, y_test = digits(seed)
rng = np.random.default_rng(seed)
order = rng.permutation(len(x))
x = x[order]
y = y[order] if healthy else y[rng.permutation(len(y))]
mlp = MLPClassifier((64,), max_iter=40, early_stopping=True, n_iter_no_change=40, random_state=seed)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y), mlp.score(x_test, y_test))
