"""partial_fit on a stream whose distribution drifts."""

import numpy as np
from sklearn.neural_network import MLPRegressor
from zoo_data import arguments

seed, _ = arguments()
rng = np.random.default_rng(seed)
mlp = MLPRegressor(hidden_layer_sizes=(32,), learning_rate_init=5e-3, random_state=seed)
for step in range(300):
    x = rng.standard_normal((40, 5)) + step / 300
    y = np.sin(x[:, 0]) + 0.1 * rng.standard_normal(40)
    mlp.partial_fit(x, y)
print(mlp.loss_)
