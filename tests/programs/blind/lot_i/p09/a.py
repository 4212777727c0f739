"""Depthwise-separable network on the digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

EPOCHS = 10
BATCH = 64
WIDTH = 40

X, y = load_digits(return_X_y=True)
X = (X / 8.0 - 1.0).astype("float32").reshape(-1, 1, 8, 8)
order = np.random.RandomState(0).permutation(len(X))
X, y = torch.from_numpy(X[order]), torch.from_numpy(y[order].astype("int64"))
x_train, y_train, x_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


class Separable(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.pointwise = nn.Conv2d(channels, channels, 1)
        self.act = nn.ReLU()
        nn.init.zeros_(self.depthwise.bias)
        nn.init.kaiming_uniform_(self.pointwise.weight, nonlinearity="relu")
        nn.init.zeros_(self.pointwise.bias)

    def forward(self, x):
        return self.act(self.pointwise(self.depthwise(x)))


torch.manual_seed(123)
stem = nn.Conv2d(1, WIDTH, 3, padding=1)
head = nn.Linear(WIDTH, 10)
nn.init.kaiming_uniform_(stem.weight, nonlinearity="relu")
nn.init.xavier_uniform_(head.weight)
nn.init.zeros_(stem.bias)
nn.init.zeros_(head.bias)
model = nn.Sequential(stem, nn.ReLU(), Separable(WIDTH), nn.MaxPool2d(2), Separable(WIDTH),
                      nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)

loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x_train))
    running = 0.0
    for rows in perm.split(BATCH):
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(rows)
    with torch.no_grad():
        out = model(x_test)
        test = loss_fn(out, y_test).item()
        acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch + 1} loss {running / len(x_train):.4f} test {test:.4f} acc {acc:.4f}")
