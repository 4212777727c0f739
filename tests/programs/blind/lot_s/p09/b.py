"""Anomaly autoencoder for machine readings."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(56)


def make_data(n=900, d=20):
    rng = np.random.default_rng(15)
    z = rng.normal(size=(n, 4))
    mix = rng.normal(size=(4, d))
    x = z @ mix + 0.5 * np.tanh(z[:, :2] @ rng.normal(size=(2, d))) + 0.1 * rng.normal(size=(n, d))
    return ((x - x.mean(0)) / x.std(0)).astype("float32")


x = torch.from_numpy(make_data())
x_train, x_test = x[:720], x[720:]

parts, width = [], 20
for units in (12, 8, 5, 8, 12):
    parts += [nn.Linear(width, units), nn.PReLU(units)]
    width = units
parts.append(nn.Linear(width, 20))
model = nn.Sequential(*parts)
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.MSELoss()
loader = DataLoader(x_train, batch_size=36, shuffle=True)

for epoch in range(12):
    losses = []
    for xb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), xb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        test = loss_fn(model(x_test), x_test).item()
    print(f"epoch {epoch}: loss {np.mean(losses):.4f}, test loss {test:.4f}")
