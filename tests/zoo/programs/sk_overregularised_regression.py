"""alpha=1000 in a regression."""

from sklearn.neural_network import MLPRegressor
from zoo_data import arguments, regression

seed, healthy = arguments()
x, y = regression(seed=seed)
mlp = MLPRegressor(
    hidden_layer_sizes=(64,),
    alpha=1e-3 if healthy else 1000.0,
    learning_rate_init=5e-3,
    max_iter=60,
    n_iter_no_change=60,
    random_state=seed,
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y))
