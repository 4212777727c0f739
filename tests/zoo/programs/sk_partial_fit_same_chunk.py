"""partial_fit in a loop that never takes the next chunk."""

import numpy as np
from sklearn.neural_network import MLPClassifier
from zoo_data import arguments, digits

seed, healthy = arguments()
x, y, x_test, y_test = digits(seed)
mlp = MLPClassifier((64,), random_state=seed)
chunks = np.array_split(np.arange(len(x)), 20)
for step in range(200):
    chunk = chunks[step % 20 if healthy else 0]
    mlp.partial_fit(x[chunk], y[chunk], classes=np.arange(10))
print(mlp.loss_, mlp.score(x_test, y_test))
