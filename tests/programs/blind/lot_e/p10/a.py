import math
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_regression

torch.manual_seed(66)

X, y = make_regression(n_samples=900, n_features=12, n_informative=8, noise=5.0, random_state=81)
X = (X * np.linspace(0.5, 2.0, 12)).astype("float32")
y = ((y - y.mean()) / y.std())
y = (np.tanh(1.5 * y) + 0.3 * X[:, 0] * X[:, 1]).astype("float32")
X_train, y_train, X_test, y_test = X[:720], y[:720], X[720:], y[720:]

hidden = nn.Linear(12, 40)
output = nn.Linear(40, 1)
for lin in (hidden, output):
    lim = math.sqrt(6.0 / (lin.in_features + lin.out_features))
    nn.init.uniform_(lin.weight, -lim, lim)
    nn.init.uniform_(lin.bias, -lim, lim)
model = nn.Sequential(hidden, nn.Tanh(), output)

opt = torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.95)
xs, ys = torch.from_numpy(X_train), torch.from_numpy(y_train)[:, None]
for epoch in range(20):
    total = 0.0
    for b in torch.randperm(len(xs)).split(48):
        loss = 0.5 * ((model(xs[b]) - ys[b]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(b)
    print(epoch + 1, round(total / len(xs), 5))

with torch.no_grad():
    p = model(torch.from_numpy(X_test)).numpy()[:, 0]
print("test mse", float(np.mean((p - y_test) ** 2)))
