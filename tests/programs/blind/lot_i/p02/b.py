import numpy as np
import torch
import torch.nn as nn

EPOCHS = 12
SIZE = 9


def images(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    img = 0.05 * rng.normal(size=(n, SIZE, SIZE))
    total = np.zeros(n)
    for _ in range(3):
        cy, cx = rng.integers(0, SIZE, n), rng.integers(0, SIZE, n)
        amp = rng.uniform(0.0, 2.0, n)
        dist = np.abs(yy[None] - cy[:, None, None]) + np.abs(xx[None] - cx[:, None, None])
        img += amp[:, None, None] * (dist == 0)
        total += amp
    return img[..., None].astype("float32"), (total[:, None] - 3.0).astype("float32")


x_train, y_train = images(1000, 1)
x_val, y_val = images(300, 2)
x_train, x_val = (torch.from_numpy(v).permute(0, 3, 1, 2).contiguous() for v in (x_train, x_val))
y_train, y_val = torch.from_numpy(y_train), torch.from_numpy(y_val)

torch.manual_seed(4)
model = nn.Sequential(
    nn.AvgPool2d(3, stride=1, padding=1),
    nn.Conv2d(1, 12, 1), nn.ReLU(),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.Conv2d(12, 24, 1), nn.ReLU(),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(24, 1),
)
for m in model:
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)
    elif isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

criterion = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-12)
for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    total = 0.0
    for rows in order.split(40):
        loss = criterion(model(x_train[rows]), y_train[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(rows)
    with torch.no_grad():
        val = criterion(model(x_val), y_val).item()
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f} val {val:.4f}")
