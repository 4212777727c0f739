"""Card fraud with class weights, PyTorch."""
import math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score


def make_data():
    rng = np.random.default_rng(31)
    n = 5000
    amount = rng.exponential(1.0, n)
    night = rng.uniform(size=n) < 0.3
    velocity = rng.poisson(2.0, n)
    foreign = rng.uniform(size=n) < 0.15
    other = rng.normal(size=(n, 8))
    z = (-4.6 + 0.9 * amount * foreign + 1.2 * night * (velocity > 3) + 0.7 * other[:, 0] - 0.6 * other[:, 1]
         + 0.8 * other[:, 2] * other[:, 3] + 0.5 * amount)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-z))).astype(int)
    x = np.column_stack([np.log1p(amount), night, velocity / 3, foreign, other])
    x = (x - x[:4000].mean(0)) / x[:4000].std(0)
    x = x.astype("float32")
    return x[:4000], y[:4000], x[4000:], y[4000:]


def build():
    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
    for m in net:
        if isinstance(m, nn.Linear):
            bound = math.sqrt(6.0 / (m.in_features + m.out_features))
            nn.init.uniform_(m.weight, -bound, bound)
            nn.init.uniform_(m.bias, -bound, bound)
    return net


def weighted_loss(logit, y, w):
    each = F.binary_cross_entropy_with_logits(logit.squeeze(1), y, reduction="none")
    return (w * each).sum() / w.sum()


def main():
    torch.manual_seed(15)
    x, y, xt, yt = make_data()
    pos = y.mean()
    weight = np.where(y == 1, 0.5 / pos, 0.5 / (1 - pos)).astype("float32")
    X, Y, W = torch.from_numpy(x), torch.from_numpy(y.astype("float32")), torch.from_numpy(weight)
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.0)
    for epoch in range(12):
        total = 0.0
        for idx in torch.randperm(len(X)).split(125):
            loss = weighted_loss(net(X[idx]), Y[idx], W[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1} weighted log loss {total / len(X):.4f}")
    with torch.no_grad():
        p = torch.sigmoid(net(torch.from_numpy(xt))).squeeze(1).numpy().astype("float64")
    wt = np.where(yt == 1, 0.5 / pos, 0.5 / (1 - pos))
    print(f"test weighted log loss {log_loss(yt, p, sample_weight=wt):.4f}")
    print(f"test ROC AUC {roc_auc_score(yt, p):.4f} average precision {average_precision_score(yt, p):.4f}")


if __name__ == "__main__":
    main()
