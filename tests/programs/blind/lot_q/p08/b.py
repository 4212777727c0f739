"""Multi-label tagging of synthetic documents with PyTorch."""
import math

import numpy as np
import torch
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, Y = make_multilabel_classification(n_samples=1000, n_features=20, n_classes=8, n_labels=3,
                                      random_state=17)
X = ((X - X.mean(0)) / X.std(0)).astype(np.float32)
X_train, Y_train, X_test, Y_test = X[:800], Y[:800], X[800:], Y[800:]

torch.manual_seed(2)
model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 8))
for layer in (model[0], model[2]):
    bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)

criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.04)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(Y_train).float()),
                    batch_size=50, shuffle=True)

for epoch in range(30):
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        optimizer.step()


@torch.no_grad()
def report(name, x, y):
    p = torch.sigmoid(model(torch.from_numpy(x))).numpy()
    bce = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    print(f"{name}: cross-entropy per label {bce:.4f}, micro F1 {f1_score(y, p > 0.5, average='micro'):.4f}")


report("train", X_train, Y_train)
report("test", X_test, Y_test)
