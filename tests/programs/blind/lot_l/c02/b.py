import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_diabetes

BATCH, EPOCHS, ALPHA = 44, 50, 0.5

data = load_diabetes()
order = np.random.RandomState(17).permutation(len(data.target))
X = data.data[order] / data.data.std(0)
y = (data.target[order] - 152.0) / 77.0
X_train, y_train = X[:352], y[:352]
X_test, y_test = X[352:], y[352:]

torch.manual_seed(1)
model = nn.Sequential(
    nn.Linear(10, 24), nn.Tanh(),
    nn.Linear(24, 12), nn.Tanh(),
    nn.Linear(12, 1),
).double()
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:
    bound = (6.0 / (m.in_features + m.out_features)) ** 0.5
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

xt = torch.from_numpy(X_train)
yt = torch.from_numpy(y_train).unsqueeze(1)

# training
opt = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, nesterov=True)
for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(xt)).split(BATCH):
        half_mse = 0.5 * (model(xt[idx]) - yt[idx]).square().mean()
        penalty = ALPHA / (2 * len(idx)) * sum(m.weight.square().sum() for m in linears)
        loss = half_mse + penalty
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {total / len(xt):.5f}")

with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).squeeze(1).numpy()
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
