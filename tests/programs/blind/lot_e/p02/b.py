import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_friedman1

torch.manual_seed(4)

X, y = make_friedman1(n_samples=1000, n_features=10, noise=0.5, random_state=8)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32").reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:768], y[:768], X[768:], y[768:]

model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
for layer in (model[0], model[2], model[4]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.005)
xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)

for epoch in range(10):
    total = 0.0
    for idx in torch.randperm(len(xt)).split(16):
        loss = nn.functional.mse_loss(model(xt[idx]), yt[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print("epoch", epoch, "mse", total / len(xt))

with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
print("test mse", float(np.mean((pred - y_test) ** 2)))
