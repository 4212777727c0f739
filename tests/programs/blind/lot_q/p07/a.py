import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS = 64, 20


def spirals():
    rng = np.random.RandomState(31)
    n = 1280
    c = rng.randint(0, 3, size=n)
    r = rng.uniform(0.1, 1.0, size=n)
    a = 3.5 * r + 2 * np.pi * c / 3 + 0.15 * rng.randn(n)
    x = np.stack([r * np.cos(a), r * np.sin(a)], axis=1) * 1.7
    return x.astype("float32"), c.astype("int64")


x, y = (torch.from_numpy(v) for v in spirals())
train = TensorDataset(x[:1024], y[:1024])
x_val, y_val = x[1024:], y[1024:]

torch.manual_seed(77)
model = nn.Sequential(
    nn.Linear(2, 48), nn.LayerNorm(48, eps=1e-5), nn.ReLU(),
    nn.Linear(48, 48), nn.LayerNorm(48, eps=1e-5), nn.ReLU(),
    nn.Linear(48, 3))
for layer in model.modules():
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

loader = DataLoader(train, batch_size=BATCH, shuffle=True)
optimizer = torch.optim.Adam(model.parameters(), lr=0.002, betas=(0.9, 0.999), eps=1e-10)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.94)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    print(f"epoch {epoch + 1}/{EPOCHS} loss {total / len(loader):.4f}")

model.eval()
with torch.no_grad():
    out = model(x_val)
    print(f"val loss {criterion(out, y_val).item():.4f} acc {(out.argmax(1) == y_val).float().mean().item():.3f}")
