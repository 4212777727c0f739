import math
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_wine

torch.manual_seed(5)

data = load_wine()
X = data.data.astype("float64")
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = data.target
perm = np.random.RandomState(7).permutation(len(y))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:140], y[:140], X[140:], y[140:]

xt = torch.from_numpy(X_train)
yt = torch.from_numpy(y_train).long()
sizes = [13, 24, 12, 3]
linears = [nn.Linear(i, o) for i, o in zip(sizes[:-1], sizes[1:])]
with torch.no_grad():
    for lin in linears:
        bound = math.sqrt(6.0 / (lin.in_features + lin.out_features))
        lin.weight.uniform_(-bound, bound)
        lin.bias.uniform_(-bound, bound)
model = nn.Sequential(linears[0], nn.ReLU(), linears[1], nn.ReLU(), linears[2])

alpha = 0.5
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
cross_entropy = nn.CrossEntropyLoss()

for epoch in range(30):
    order = torch.randperm(len(xt))
    total = 0.0
    for start in range(0, len(xt), 20):
        idx = order[start:start + 20]
        fit = cross_entropy(model(xt[idx]), yt[idx])
        penalty = sum((lin.weight ** 2).sum() for lin in linears)
        loss = fit + 0.5 * alpha * penalty / len(idx)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += fit.item() * len(idx)
    print(epoch, round(total / len(xt), 5))

with torch.no_grad():
    guess = model(torch.from_numpy(X_test)).argmax(1).numpy()
print("test accuracy", float((guess == y_test).mean()))
