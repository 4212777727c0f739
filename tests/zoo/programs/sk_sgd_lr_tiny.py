"""SGD with learning_rate_init=1e-6."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, bundled

seed, healthy = arguments()
x, y, x_test, y_test = bundled("wine", seed=seed)
mlp = MLPClassifier(
    (32,),
    solver="sgd",
    learning_rate_init=0.05 if healthy else 1e-6,
    batch_size=16,
    max_iter=60,
    n_iter_no_change=60,
    random_state=seed,
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x_test, y_test))
