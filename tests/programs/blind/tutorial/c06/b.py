"""Feature extraction: pretrain a convnet on digits 0-4, run it once over the images of 5-9,
and train a small classifier on those bottleneck features."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F


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


def conv_block(cin, cout):
    return [nn.Conv2d(cin, cout, 3, padding="same", bias=False), nn.BatchNorm2d(cout), nn.ReLU(), nn.MaxPool2d(2)]


def batches(n, size, drop_last):
    perm = torch.randperm(n)
    stop = n - n % size if drop_last else n
    for i in range(0, stop, size):
        yield perm[i:min(i + size, n)]


def main():
    torch.manual_seed(3)
    (xs, ys), (xt, yt), (xv, yv) = [tuple(map(torch.as_tensor, p)) for p in make_tasks()]

    # ---- stage 1: the source task
    features = nn.Sequential(*conv_block(1, 16), *conv_block(16, 32), nn.Flatten())
    top = nn.Linear(128, 5)
    opt = torch.optim.SGD([*features.parameters(), *top.parameters()], lr=0.02, momentum=0.9, weight_decay=1e-4)
    for epoch in range(4):
        features.train()
        for idx in batches(len(xs), 50, drop_last=True):
            loss = F.cross_entropy(top(features(xs[idx])), ys[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
        features.eval()
        with torch.no_grad():
            acc = (top(features(xs)).argmax(1) == ys).float().mean()
        print(f"source epoch {epoch + 1}: accuracy {acc:.4f}")

    # ---- stage 2: bottleneck features of the target task, computed once
    features.eval()
    with torch.no_grad():
        ft, fv = features(xt), features(xv)

    head = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5))
    opt = torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    for epoch in range(16):
        if epoch == 8:
            for group in opt.param_groups:
                group["lr"] = 0.01
        head.train()
        total = 0.0
        for idx in batches(len(ft), 32, drop_last=False):
            loss = F.cross_entropy(head(ft[idx]), yt[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += float(loss) * len(idx)
        head.eval()
        with torch.no_grad():
            acc = (head(fv).argmax(1) == yv).float().mean()
        print(f"target epoch {epoch + 1}: loss {total / len(ft):.4f}  test accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
