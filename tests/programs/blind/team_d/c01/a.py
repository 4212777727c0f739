"""Click-through model: wide crossed features + factorisation machine + deep part (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SIZES = [40, 30, 24, 200]          # segment, category, hour, hashed segment x category
N_NUM = 6
DIM = 8
BATCH = 128
EPOCHS = 7
LR = 0.25


def make_data():
    rng = np.random.default_rng(2024)
    n = 7500
    seg = rng.integers(0, 40, n)
    cat = rng.integers(0, 30, n)
    hour = rng.integers(0, 24, n)
    cross = (seg * 31 + cat * 7) % 200
    num = rng.normal(size=(n, N_NUM))
    b_seg = rng.normal(size=40) * 0.8
    b_cat = rng.normal(size=30) * 0.8
    b_cross = rng.normal(size=200) * 0.7
    w = rng.normal(size=N_NUM) * 0.7
    z = (b_seg[seg] + b_cat[cat] + b_cross[cross] + 0.6 * np.sin(2 * np.pi * hour / 24)
         + num @ w + 0.5 * num[:, 0] * num[:, 1] - 0.8)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("float32")
    ids = np.stack([seg, cat, hour, cross], 1).astype("int64")
    num = num.astype("float32")
    return (ids[:6000], num[:6000], y[:6000]), (ids[6000:], num[6000:], y[6000:])


class DeepFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.ModuleList([nn.Embedding(s, 1) for s in SIZES])
        self.emb = nn.ModuleList([nn.Embedding(s, DIM) for s in SIZES])
        self.fc1 = nn.Linear(DIM * len(SIZES) + N_NUM, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)
        for e in self.wide:
            nn.init.zeros_(e.weight)
        for e in self.emb:
            nn.init.uniform_(e.weight, -0.05, 0.05)
        for layer in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, ids, num):
        linear = sum(e(ids[:, i]) for i, e in enumerate(self.wide))
        v = torch.stack([e(ids[:, i]) for i, e in enumerate(self.emb)], dim=1)
        fm = 0.5 * (v.sum(1) ** 2 - (v ** 2).sum(1)).sum(1, keepdim=True)
        h = torch.cat([v.flatten(1), num], dim=1)
        h = torch.relu(self.fc1(h))
        h = torch.relu(self.fc2(h))
        return (linear + fm + self.out(h)).squeeze(1)


def main():
    torch.manual_seed(11)
    train, test = make_data()
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, train)), batch_size=BATCH, shuffle=True)
    model = DeepFM()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for epoch in range(EPOCHS):
        model.train()
        total, seen = 0.0, 0
        for ids, num, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(ids, num), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            seen += len(y)
        print(f"epoch {epoch + 1} loss {total / seen:.4f}")
    model.eval()
    with torch.no_grad():
        ids, num, y = map(torch.from_numpy, test)
        z = model(ids, num)
        print(f"test logloss {criterion(z, y).item():.4f} accuracy {((z > 0) == (y > 0.5)).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
