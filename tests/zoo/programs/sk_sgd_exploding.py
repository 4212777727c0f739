"""MLPRegressor with SGD on raw targets in the hundreds."""

from sklearn.neural_network import MLPRegressor
from zoo_data import arguments, bundled

seed, healthy = arguments()
x, y, x_test, y_test = bundled("diabetes", seed=seed)
if healthy:
    y, y_test = (y - 150) / 77, (y_test - 150) / 77
mlp = MLPRegressor(
    hidden_layer_sizes=(50,), solver="sgd", learning_rate_init=0.01 if healthy else 0.02, max_iter=60, random_state=seed
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x_test, y_test))
