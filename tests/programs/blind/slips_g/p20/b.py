"""Anomaly detection on machine telemetry: the same autoencoder in PyTorch."""
import math

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

N_TRAIN, N_NORMAL, N_ANOM, D = 2000, 400, 100, 18
BATCH, EPOCHS, LR, ALPHA = 50, 12, 0.01, 0.02


def make_data():
    rng = np.random.RandomState(314)
    mix = rng.randn(4, D)
    mix2 = rng.randn(4, D) * 0.5

    def normal(n):
        z = rng.randn(n, 4)
        return np.tanh(z @ mix * 0.6) + np.sin(z) @ mix2 * 0.4 + 0.1 * rng.randn(n, D)

    x = normal(N_TRAIN)
    mu, sd = x.mean(0), x.std(0)
    ok = normal(N_NORMAL)
    bad = normal(N_ANOM)
    for row in bad:
        k = rng.choice(D, 4, replace=False)
        row[k] += rng.choice([-1, 1], 4) * rng.uniform(0.8, 1.6, 4)
    test = np.concatenate([ok, bad])
    label = np.r_[np.zeros(N_NORMAL), np.ones(N_ANOM)]
    return ((x - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label


def report(x_test, recon, label):
    score = ((recon - x_test) ** 2).mean(axis=1)
    print(f"test error normal {score[label == 0].mean():.4f} anomalous {score[label == 1].mean():.4f} "
          f"auc {roc_auc_score(label, score):.4f}")


def make_net():
    net = nn.Sequential(nn.Linear(D, 12), nn.Tanh(), nn.Linear(12, 4), nn.Tanh(),
                        nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, D))
    for m in net:
        if isinstance(m, nn.Linear):
            # scikit-learn draws kernels and biases from the same uniform law
            bound = math.sqrt(6.0 / (m.in_features + m.out_features))
            nn.init.uniform_(m.weight, -bound, bound)
            nn.init.uniform_(m.bias, -bound, bound)
    return net


def make_optimizer(net):
    return torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9, nesterov=True, weight_decay=0.0)


def train_step(net, opt, xb):
    n = len(xb)
    opt.zero_grad()
    # squared error, halved, averaged;
    # the penalty is divided by the batch size and spares the biases
    sq = 0.5 * ((net(xb) - xb) ** 2).mean()
    pen = ALPHA / (2 * n) * sum((m.weight ** 2).sum() for m in net if isinstance(m, nn.Linear))
    (sq + pen).backward()
    opt.step()
    return sq.item() + pen.item()


def main():
    torch.manual_seed(1)
    x, x_test, label = make_data()
    xt = torch.from_numpy(x)
    net = make_net()
    opt = make_optimizer(net)
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(N_TRAIN).split(BATCH):
            total += train_step(net, opt, xt[idx]) * len(idx)
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f}")
    with torch.no_grad():
        recon = net(torch.from_numpy(x_test)).numpy()
    report(x_test, recon, label)


if __name__ == "__main__":
    main()
