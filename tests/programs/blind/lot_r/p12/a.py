import numpy as np
import torch
from torch import nn


def traces(n, seed):
    """Short voltage traces (in volts), three shapes."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 32)[None, :]
    kind = rng.integers(0, 3, size=n)
    shift = rng.uniform(0, 1, size=(n, 1))
    freq = np.array([2.0, 2.5, 3.0])[kind][:, None]
    wave = np.sin(2 * np.pi * (freq * t + shift)) + 0.5 * rng.standard_normal((n, 32))
    size = 0.01 * np.exp(0.8 * rng.standard_normal((n, 1)))
    return (size * wave).astype("float32"), kind.astype("int64")


x_train, y_train = map(torch.from_numpy, traces(1000, 91))
x_test, y_test = map(torch.from_numpy, traces(500, 92))

torch.manual_seed(38)
model = nn.Sequential(
    nn.LayerNorm(32),
    nn.Linear(32, 64), nn.ReLU(),
    nn.Linear(64, 32), nn.ReLU(),
    nn.Linear(32, 3),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
criterion = nn.CrossEntropyLoss()

for epoch in range(18):
    total = 0.0
    for rows in torch.randperm(len(x_train)).split(40):
        optimizer.zero_grad()
        loss = criterion(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    out = model(x_test)
    acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"test loss {criterion(out, y_test).item():.4f} accuracy {acc:.4f}")
