"""Collaborative filtering: biased matrix factorisation with nn.Embedding and torch.optim."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

USERS, ITEMS, DIM = 150, 100, 6
LR, DECAY = 4.0, 2e-4


def make_ratings():
    rng = np.random.default_rng(12)
    p = rng.normal(0, 0.7, (USERS, 3))
    q = rng.normal(0, 0.7, (ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, ITEMS)
    pairs = rng.choice(USERS * ITEMS, size=6000, replace=False)
    u, i = pairs // ITEMS, pairs % ITEMS
    r = 3.4 + bu[u] + bi[i] + (p[u] * q[i]).sum(1) + rng.normal(0, 0.3, 6000)
    r = np.clip(np.round(r * 2) / 2, 0.5, 5.0).astype("float32")
    cut = 5000
    return (u[:cut], i[:cut], r[:cut]), (u[cut:], i[cut:], r[cut:])


class MatrixFactorization(nn.Module):
    def __init__(self, mean):
        super().__init__()
        self.mean = mean
        self.user = nn.Embedding(USERS, DIM)
        self.item = nn.Embedding(ITEMS, DIM)
        self.user_bias = nn.Embedding(USERS, 1)
        self.item_bias = nn.Embedding(ITEMS, 1)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, u, i):
        dot = (self.user(u) * self.item(i)).sum(dim=1)
        return self.mean + dot + self.user_bias(u).squeeze(1) + self.item_bias(i).squeeze(1)


def main():
    torch.manual_seed(0)
    train, test = make_ratings()
    ut, it, rt = (torch.from_numpy(a) for a in train)
    uv, iv, rv = (torch.from_numpy(a) for a in test)
    model = MatrixFactorization(float(train[2].mean()))
    loss_fn = nn.MSELoss()
    opt = torch.optim.SGD(model.parameters(), lr=LR, weight_decay=DECAY)
    loader = DataLoader(TensorDataset(ut, it, rt), batch_size=200, shuffle=True)

    for epoch in range(20):
        total = 0.0
        for u, i, r in loader:
            loss = loss_fn(model(u, i), r)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch:2d} train MSE {total / len(loader):.4f}")

    with torch.no_grad():
        print(f"test MSE {loss_fn(model(uv, iv), rv).item():.4f}  (variance {rv.var().item():.4f})")


if __name__ == "__main__":
    main()
