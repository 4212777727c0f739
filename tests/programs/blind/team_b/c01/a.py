"""DeepFM click-through model with a hashed cross feature (PyTorch)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score

SIZES = [20, 15, 10, 8, 64]
DIM = 6


def make_clicks(n_train=4000, n_test=1500):
    """Synthetic ad log: four categorical fields, one hashed cross, five numeric features."""
    rng = np.random.default_rng(20240501)
    n = n_train + n_test
    site = rng.integers(0, 20, n)
    advertiser = rng.integers(0, 15, n)
    device = rng.integers(0, 10, n)
    hour = rng.integers(0, 8, n)
    cross = (site * 7919 + advertiser * 104729) % 64
    cats = np.stack([site, advertiser, device, hour, cross], axis=1).astype("int64")
    nums = rng.normal(size=(n, 5)).astype("float32")
    u, v = rng.normal(size=(20, 3)), rng.normal(size=(15, 3))
    logit = (
        -1.0
        + 0.8 * (u[site] * v[advertiser]).sum(1)
        + 0.7 * rng.normal(size=10)[device]
        + 0.5 * np.sin(hour)
        + 0.6 * nums[:, 0]
        - 0.5 * nums[:, 1] * nums[:, 2]
    )
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-logit))).astype("float32")
    return (cats[:n_train], nums[:n_train], y[:n_train]), (cats[n_train:], nums[n_train:], y[n_train:])


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class DeepFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.ModuleList(nn.Embedding(s, 1) for s in SIZES)
        self.factors = nn.ModuleList(nn.Embedding(s, DIM) for s in SIZES)
        for table in self.first:
            nn.init.zeros_(table.weight)
        for table in self.factors:
            nn.init.normal_(table.weight, mean=0.0, std=0.05)
        self.numeric = dense(5, 1)
        self.h1 = dense(len(SIZES) * DIM + 5, 48)
        self.h2 = dense(48, 24)
        self.out = nn.Linear(24, 1, bias=False)
        nn.init.xavier_uniform_(self.out.weight)

    def forward(self, cats, nums):
        linear = sum(t(cats[:, i]) for i, t in enumerate(self.first)) + self.numeric(nums)
        e = torch.stack([t(cats[:, i]) for i, t in enumerate(self.factors)], dim=1)
        fm = 0.5 * (e.sum(1).pow(2) - e.pow(2).sum(1)).sum(1, keepdim=True)
        h = torch.cat([e.flatten(1), nums], dim=1)
        h = F.relu(self.h2(F.relu(self.h1(h))))
        return (linear + fm + self.out(h)).squeeze(1)


def main():
    torch.manual_seed(3)
    (c, x, y), (ct, xt, yt) = make_clicks()
    c, x, y = torch.from_numpy(c), torch.from_numpy(x), torch.from_numpy(y)
    model = DeepFM()
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(c, x, y), batch_size=128, shuffle=True, drop_last=False
    )
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(8):
        model.train()
        total = 0.0
        for cb, xb, yb in loader:
            opt.zero_grad()
            loss = criterion(model(cb, xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(yb)
        print(f"epoch {epoch + 1} logloss {total / len(y):.4f}")
    model.eval()
    with torch.no_grad():
        z = model(torch.from_numpy(ct), torch.from_numpy(xt))
        test = criterion(z, torch.from_numpy(yt)).item()
    print(f"test logloss {test:.4f} auc {roc_auc_score(yt, z.numpy()):.4f}")


if __name__ == "__main__":
    main()
