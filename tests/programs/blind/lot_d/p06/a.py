import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(0)

digits = load_digits()
order = np.random.RandomState(123).permutation(len(digits.data))
X = torch.tensor(digits.data[order] / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target[order])
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

ALPHA = 0.01
BATCH = 40
EPOCHS = 14

fc1, fc2 = nn.Linear(64, 40), nn.Linear(40, 10)
for layer in (fc1, fc2):
    bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
params = [fc1.weight, fc1.bias, fc2.weight, fc2.bias]
optimizer = torch.optim.Adam(params, lr=2e-3, betas=(0.9, 0.999), eps=1e-12)


def forward(x):
    return fc2(F.relu(fc1(x)))


for epoch in range(EPOCHS):
    total = 0.0
    for rows in torch.randperm(len(X_train)).split(BATCH):
        penalty = 0.5 * ALPHA * (fc1.weight.square().sum() + fc2.weight.square().sum())
        loss = F.cross_entropy(forward(X_train[rows]), y_train[rows]) + penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"Iteration {epoch + 1}, loss = {total / len(X_train):.8f}")

with torch.no_grad():
    logits = forward(X_test)
    print("test log loss", round(F.cross_entropy(logits, y_test).item(), 4))
    print("test accuracy", round((logits.argmax(1) == y_test).float().mean().item(), 4))
