import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(18)

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype(np.float32)
held_out = np.random.RandomState(0).rand(len(X)) < 0.2
X_test, y_test = X[held_out], y[held_out]
X_train, y_train = X[~held_out], y[~held_out]
by_class = np.argsort(y_train, kind="stable")[:1400]
X_train, y_train = X_train[by_class], y_train[by_class]

model = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
for lin in (model[0], model[2]):
    limit = math.sqrt(6 / (lin.in_features + lin.out_features))
    nn.init.uniform_(lin.weight, -limit, limit)
    nn.init.uniform_(lin.bias, -limit, limit)

batch_size, alpha = 70, 0.01
groups = [
    {"params": [model[0].weight, model[2].weight], "weight_decay": alpha / batch_size},
    {"params": [model[0].bias, model[2].bias], "weight_decay": 0.0},
]
optimizer = torch.optim.SGD(groups, lr=0.035, momentum=0.9)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train).long()),
                    batch_size=batch_size)

for epoch in range(15):
    for xb, yb in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(xb), yb).backward()
        optimizer.step()

with torch.no_grad():
    prob = model(torch.from_numpy(X_test)).softmax(1).numpy()
print("test log loss: %.4f" % -np.log(np.maximum(prob[np.arange(len(y_test)), y_test], 1e-12)).mean())
print("test accuracy: %.4f" % (prob.argmax(axis=1) == y_test).mean())
