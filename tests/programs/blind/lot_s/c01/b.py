import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def load():
    data = load_wine()
    X, y = data.data, data.target
    order = np.random.RandomState(6).permutation(len(X))
    X, y = X[order], y[order]
    X = (X - X[:140].mean(0)) / X[:140].std(0)
    return X, y


class MLP(nn.Module):
    def __init__(self, sizes=(13, 16, 8, 3)):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes[:-1], sizes[1:]))
        for layer in self.layers:
            bound = (6.0 / (layer.in_features + layer.out_features)) ** 0.5
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


X, y = load()
X, y = torch.from_numpy(X), torch.from_numpy(y).long()
alpha = 0.05
model = MLP()
opt = torch.optim.Adam(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(40):
    for idx in torch.randperm(140).split(30):
        l2 = sum((layer.weight ** 2).sum() for layer in model.layers)
        loss = F.cross_entropy(model(X[idx]), y[idx]) + alpha / (2 * len(idx)) * l2
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    print("train log loss", F.cross_entropy(model(X[:140]), y[:140]).item())
    out = model(X[140:])
    print("test log loss", F.cross_entropy(out, y[140:]).item())
    print("test accuracy", (out.argmax(1) == y[140:]).double().mean().item())
