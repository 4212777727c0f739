import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

digits = load_digits()
perm = np.random.default_rng(31).permutation(len(digits.target))
x = (digits.images[perm] / 16.0).astype("float32")
y = digits.target[perm].astype("int64")
x = (x - x[:1280].mean()) / x[:1280].std()
x_train, y_train, x_test, y_test = x[:1280], y[:1280], x[1280:], y[1280:]

torch.manual_seed(1)
net = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(16, 10),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train)[:, None], torch.from_numpy(y_train)),
    batch_size=64, shuffle=True)

for epoch in range(15):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    print(f"{epoch + 1:3d} {running / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    out = net(torch.from_numpy(x_test)[:, None])
    target = torch.from_numpy(y_test)
    print(f"test {loss_fn(out, target).item():.4f} acc {(out.argmax(1) == target).float().mean().item():.4f}")
