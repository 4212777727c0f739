"""An MLPClassifier in batches of one's own; SGD with momentum; three classes."""

import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(1)
x = rng.normal(size=(310, 5))
labels = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
mlp = MLPClassifier((20, 10), activation="logistic", solver="sgd", learning_rate_init=0.1, random_state=seed)
for _ in range(4):
    for at in range(0, 310, 50):
        mlp.partial_fit(x[at : at + 50], labels[at : at + 50], classes=[0, 1, 2])
print(f"accuracy {mlp.score(x, labels):.4f}")
