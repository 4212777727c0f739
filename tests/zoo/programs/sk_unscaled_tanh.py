"""Raw breast cancer features into tanh units."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, bundled

seed, healthy = arguments()
x, y, x_test, y_test = bundled("breast_cancer", scaled=healthy, seed=seed)
mlp = MLPClassifier(
    (32, 16),
    activation="tanh",
    solver="sgd",
    learning_rate_init=0.01,
    batch_size=32,
    max_iter=60,
    n_iter_no_change=60,
    random_state=seed,
)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y), mlp.score(x_test, y_test))
