"""Rare-event detection: PyTorch, weighted cross-entropy and dropout masks written out."""
import math

import numpy as np
import torch
import torch.nn as nn

BATCH, EPOCHS, RATE = 32, 9, 0.25


def make_data():
    rng = np.random.default_rng(2718)
    x = rng.normal(size=(2100, 20)).astype("float32")
    score = 1.4 * x[:, 0] * x[:, 1] + x[:, 2] - 0.8 * x[:, 3] ** 2 + 0.7 * np.abs(x[:, 4]) + 0.5 * rng.normal(size=2100)
    y = (score > np.quantile(score, 0.86)).astype("float32")
    return x[:1500], y[:1500], x[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_data()
n_pos = float(y_train.sum())
n_neg = float(len(y_train) - n_pos)
w_neg, w_pos = len(y_train) / (2 * n_neg), len(y_train) / (2 * n_pos)

torch.manual_seed(90)


def he_normal_(weight):
    """Normal cut at two sigma, rescaled so that its deviation is sqrt(2 / fan_in)."""
    std = math.sqrt(2.0 / weight.shape[1]) / 0.87962566103423978
    nn.init.trunc_normal_(weight, mean=0.0, std=std, a=-2 * std, b=2 * std)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, 1)
        he_normal_(self.fc1.weight)
        he_normal_(self.fc2.weight)
        nn.init.xavier_uniform_(self.fc3.weight)
        for fc in (self.fc1, self.fc2, self.fc3):
            nn.init.zeros_(fc.bias)

    def drop(self, h):
        if not self.training:
            return h
        mask = (torch.rand_like(h) >= RATE).to(h.dtype)
        return h * mask / (1.0 - RATE)

    def forward(self, x):
        h = self.drop(torch.relu(self.fc1(x)))
        h = self.drop(torch.relu(self.fc2(h)))
        return self.fc3(h).squeeze(1)


def weighted_bce(z, y):
    per_sample = torch.clamp(z, min=0) - z * y + torch.log1p(torch.exp(-torch.abs(z)))
    weight = w_pos * y + w_neg * (1 - y)
    return (weight * per_sample).sum() / len(y)


net = Net()
optimizer = torch.optim.Adagrad(
    net.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.1, eps=1e-12
)
xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)

# training
for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    perm = torch.randperm(len(xt))
    for idx in perm.split(BATCH):
        loss = weighted_bce(net(xt[idx]), yt[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

net.eval()
with torch.no_grad():
    hit = net(torch.from_numpy(x_test)).numpy() > 0
recall = hit[y_test == 1].mean()
specificity = 1 - hit[y_test == 0].mean()
print(f"balanced accuracy {(recall + specificity) / 2:.4f} recall {recall:.4f}")
