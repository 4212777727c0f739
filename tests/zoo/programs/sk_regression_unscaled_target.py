"""House prices as they come, squared error, Adam."""

from sklearn.neural_network import MLPRegressor
from zoo_data import arguments, regression

seed, healthy = arguments()
x, y = regression(samples=800, seed=seed)
price = y if healthy else 250000 + 40000 * y
mlp = MLPRegressor(hidden_layer_sizes=(32,), max_iter=60, n_iter_no_change=60, random_state=seed)
mlp.fit(x, price)
print(mlp.loss_, mlp.score(x, price))
