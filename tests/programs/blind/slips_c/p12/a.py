"""Transfer learning: a small convolutional base learns the digits 0-4, is frozen, and a new head learns 5-9."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 3


def make_tasks():
    rng = np.random.RandomState(2024)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype("float32")[:, None]
    y = digits.target[order].astype("int64")
    old, new = y < 5, y >= 5
    source = (x[old], y[old])
    xt, yt = x[new], y[new] - 5
    return source, (xt[:300], yt[:300]), (xt[300:], yt[300:])


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        return torch.flatten(x, 1)          # 32 * 2 * 2


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def pretrain(base, x, y):
    model = nn.Sequential(base, nn.Linear(128, 5))
    opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True, drop_last=True)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(4):
        model.train()
        for xb, yb in loader:
            opt.zero_grad()
            criterion(model(xb), yb).backward()
            opt.step()
        print(f"source epoch {epoch + 1}: accuracy {accuracy(model, x, y):.4f}")


def finetune(base, x, y, x_test, y_test):
    for p in base.parameters():
        p.requires_grad_(False)
    head = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5))
    model = nn.Sequential(base, head)
    opt = torch.optim.SGD(filter(lambda p: p.requires_grad, model.parameters()),
                          lr=0.05, momentum=0.9, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(opt, step_size=8, gamma=0.2)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    for epoch in range(16):
        model.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        scheduler.step()
        print(f"target epoch {epoch + 1}: loss {total / len(x):.4f}  test accuracy {accuracy(model, x_test, y_test):.4f}")


def main():
    torch.manual_seed(SEED)
    tensors = [[torch.from_numpy(v) for v in pair] for pair in make_tasks()]
    (xs, ys), (xt, yt), (xv, yv) = tensors
    base = Base()
    pretrain(base, xs, ys)
    finetune(base, xt, yt, xv, yv)


if __name__ == "__main__":
    main()
