import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 10
GRID, CELL = 4, 4


def scenes(n, seed):
    shapes = np.random.RandomState(100).choice([-1.0, 1.0], size=(4, 4, 4))
    rng = np.random.RandomState(seed)
    img = 0.4 * rng.normal(size=(n, 16, 16, 1))
    lab = np.zeros((n, GRID, GRID), dtype="int64")
    for i in range(n):
        for _ in range(2):
            r, c, k = rng.randint(0, 13), rng.randint(0, 13), rng.randint(0, 4)
            img[i, r:r + 4, c:c + 4, 0] += shapes[k]
            lab[i, r // CELL, c // CELL] = k + 1
    return img.astype("float32"), lab


def tensors(img, lab):
    return torch.from_numpy(img.transpose(0, 3, 1, 2).copy()), torch.from_numpy(lab)


train = TensorDataset(*tensors(*scenes(1200, 0)))
x_val, y_val = tensors(*scenes(300, 1))

torch.manual_seed(14)
model = nn.Sequential(
    nn.Conv2d(1, 24, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(48, 48, 1), nn.ReLU(),
    nn.Conv2d(48, 5, 1),
)
for conv in (model[0], model[2], model[4]):
    nn.init.kaiming_uniform_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
nn.init.xavier_uniform_(model[6].weight)
nn.init.zeros_(model[6].bias)

loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=4e-3, eps=1e-12)
loader = DataLoader(train, batch_size=40, shuffle=True)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    with torch.no_grad():
        val = loss_fn(model(x_val), y_val).item()
    print(f"epoch {epoch + 1} loss {total / len(train):.4f} val_loss {val:.4f}")
