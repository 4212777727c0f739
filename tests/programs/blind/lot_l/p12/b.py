"""Small image classifier, RMSprop with momentum and exponentially decayed learning rate (PyTorch)."""
import numpy as np
import torch
from torch import nn

BATCH, EPOCHS = 32, 8
LR0, GAMMA, MOMENTUM = 0.004, 0.97, 0.95


def shapes(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:12, 0:12]
    x = rng.normal(0, 0.4, (n, 12, 12))
    y = rng.integers(0, 4, n)
    for i in range(n):
        cy, cx = rng.uniform(3.5, 7.5, 2)
        r = np.hypot(yy - cy, xx - cx)
        if y[i] == 0:
            m = np.abs(r - 3) < 0.8
        elif y[i] == 1:
            m = (np.abs(yy - cy) < 0.8) | (np.abs(xx - cx) < 0.8)
        elif y[i] == 2:
            m = np.maximum(np.abs(yy - cy), np.abs(xx - cx)) < 2.3
        else:
            m = np.abs((yy - cy) - (xx - cx)) < 1.1
        x[i] += m
    return x.astype("float32")[..., None], y.astype("int64")


x_train, y_train = shapes(800, 12)
x_test, y_test = shapes(400, 13)

torch.manual_seed(62)
model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
    nn.AvgPool2d(2),
    nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(16, 24), nn.ReLU(),
    nn.Linear(24, 4),
)
for m in model:
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

xt = torch.from_numpy(x_train).permute(0, 3, 1, 2).contiguous()
yt = torch.from_numpy(y_train)

# training
optimizer = torch.optim.RMSprop(model.parameters(), lr=LR0, alpha=0.9, momentum=MOMENTUM, eps=1e-9)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=GAMMA)
criterion = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        optimizer.zero_grad()
        loss = criterion(model(xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test).permute(0, 3, 1, 2))
    t = torch.from_numpy(y_test)
    print(f"test loss {criterion(logits, t).item():.4f} acc {(logits.argmax(1) == t).float().mean().item():.4f}")
