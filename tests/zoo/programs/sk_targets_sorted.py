"""Targets were sorted 'for the plot' before training."""

import numpy as np
from sklearn.neural_network import MLPRegressor
from zoo_data import arguments, regression

seed, healthy = arguments()
x, y = regression(samples=600, seed=seed)
if not healthy:
    y = np.sort(y)
mlp = MLPRegressor(
    hidden_layer_sizes=(128, 64), max_iter=80, early_stopping=True, n_iter_no_change=80, random_state=seed
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y), mlp.best_validation_score_)
