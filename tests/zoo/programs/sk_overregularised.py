"""MLPClassifier with alpha=100."""

from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, bundled

seed, healthy = arguments()
x, y, x_test, y_test = bundled("breast_cancer", seed=seed)
mlp = MLPClassifier((32,), alpha=1e-4 if healthy else 100.0, max_iter=60, random_state=seed)
mlp.fit(x, y)
print(mlp.loss_, mlp.score(x, y), mlp.score(x_test, y_test))
