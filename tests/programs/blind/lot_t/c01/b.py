import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(60)


def concrete_like(n=700):
    rng = np.random.default_rng(123)
    x = rng.uniform(-1.7, 1.7, size=(n, 8))
    y = (1.2 * x[:, 0] + np.sin(2 * x[:, 1]) - x[:, 2] * x[:, 3] + 0.5 * np.abs(x[:, 4])
         + 0.1 * rng.normal(size=n))
    return x, (y - y.mean()) / y.std()


x, y = (torch.from_numpy(v) for v in concrete_like())
y = y.unsqueeze(1)
x_train, y_train, x_test, y_test = x[:560], y[:560], x[560:], y[560:]

alpha = 0.05
model = nn.Sequential(
    nn.Linear(8, 40), nn.ReLU(),
    nn.Linear(40, 20), nn.ReLU(),
    nn.Linear(20, 1),
).double()
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:
    bound = math.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

opt = torch.optim.Adam(model.parameters(), lr=0.004, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=56, shuffle=True)

for epoch in range(40):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        half_mse = 0.5 * ((model(xb) - yb) ** 2).mean()
        l2 = 0.5 * alpha / len(xb) * sum((m.weight ** 2).sum() for m in linears)
        loss = half_mse + l2
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {total / len(x_train):.5f}")

with torch.no_grad():
    print("test rmse", torch.sqrt(((model(x_test) - y_test) ** 2).mean()).item())
