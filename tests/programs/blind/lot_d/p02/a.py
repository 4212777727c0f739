import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(0)


def stripes(n, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    angle = kind * np.pi / 4 + rng.normal(0, 0.12, n)
    freq = rng.uniform(0.7, 1.1, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    yy, xx = np.mgrid[0:17, 0:17]
    arg = (np.cos(angle)[:, None, None] * xx + np.sin(angle)[:, None, None] * yy)
    img = np.sin(freq[:, None, None] * arg + phase[:, None, None]) + rng.normal(0, 0.5, (n, 17, 17))
    return img.astype("float32"), kind.astype("int64")


x_train, y_train = stripes(1000, 3)
x_test, y_test = stripes(300, 4)
x_train, x_test = torch.from_numpy(x_train[:, None]), torch.from_numpy(x_test[:, None])
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)


def conv(i, o):
    layer = nn.Conv2d(i, o, 3, padding=1)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


head = nn.Linear(16 * 9, 4)
nn.init.xavier_uniform_(head.weight)
nn.init.zeros_(head.bias)
model = nn.Sequential(
    conv(1, 8), nn.ReLU(), nn.AvgPool2d(3, stride=2, padding=1),
    conv(8, 12), nn.ReLU(), nn.AvgPool2d(3, stride=2, padding=1),
    conv(12, 16), nn.ReLU(), nn.AvgPool2d(3, stride=2, padding=1),
    nn.Flatten(),
    head,
)
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=40, shuffle=True)

for epoch in range(8):
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print("epoch", epoch + 1, "loss", round(total / len(x_train), 4))

with torch.no_grad():
    z = model(x_test)
    print("test loss %.4f" % loss_fn(z, y_test).item())
    print("test accuracy %.4f" % (z.argmax(1) == y_test).float().mean().item())
