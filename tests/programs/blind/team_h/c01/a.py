"""Click-through rate: wide (crossed) part + cross network + deep tower. PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST = 6144, 2048
FIELDS = {"campaign": 40, "site": 60, "segment": 20, "device": 5, "hour": 24}
CROSS_BUCKETS = 256


def make_data():
    rng = np.random.RandomState(2024)
    n = N_TRAIN + N_TEST
    ids = {k: rng.randint(0, v, size=n) for k, v in FIELDS.items()}
    num = rng.randn(n, 4).astype("float32")
    num[:, 3] = np.log1p(np.abs(num[:, 3]))
    # crossed features
    cs = (ids["campaign"] * 7919 + ids["site"] * 104729) % CROSS_BUCKETS
    dh = ids["device"] * 24 + ids["hour"]
    logit = (0.8 * rng.randn(40)[ids["campaign"]] + 0.7 * rng.randn(60)[ids["site"]]
             + 0.6 * rng.randn(120)[dh] + 1.0 * rng.randn(CROSS_BUCKETS)[cs]
             + 0.9 * num[:, 0] * rng.randn(20)[ids["segment"]]
             + 0.5 * num[:, 1] - 0.6 * num[:, 2] - 1.2)
    y = (rng.rand(n) < 1.0 / (1.0 + np.exp(-logit))).astype("float32")
    cat = np.stack([ids[k] for k in FIELDS], axis=1).astype("int64")
    crossed = np.stack([cs, dh], axis=1).astype("int64")
    tr, te = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (cat[tr], crossed[tr], num[tr], y[tr]), (cat[te], crossed[te], num[te], y[te])


class CrossLayer(nn.Module):
    """x_{l+1} = x_0 * (W x_l + b) + x_l"""

    def __init__(self, dim):
        super().__init__()
        self.lin = nn.Linear(dim, dim)

    def forward(self, x0, x):
        return x0 * self.lin(x) + x


class WideDeepCross(nn.Module):
    def __init__(self, emb_dim=8):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(v, emb_dim) for v in FIELDS.values()])
        self.wide_cs = nn.Embedding(CROSS_BUCKETS, 1)
        self.wide_dh = nn.Embedding(120, 1)
        dim = emb_dim * len(FIELDS) + 4
        self.cross1 = CrossLayer(dim)
        self.cross2 = CrossLayer(dim)
        self.deep1 = nn.Linear(dim, 64)
        self.deep2 = nn.Linear(64, 32)
        self.out = nn.Linear(dim + 32, 1)
        self.reset()

    def reset(self):
        for e in self.embs:
            nn.init.normal_(e.weight, 0.0, 0.1)
        nn.init.zeros_(self.wide_cs.weight)
        nn.init.zeros_(self.wide_dh.weight)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, cat, crossed, num):
        x0 = torch.cat([e(cat[:, i]) for i, e in enumerate(self.embs)] + [num], dim=1)
        x = self.cross2(x0, self.cross1(x0, x0))
        h = torch.relu(self.deep2(torch.relu(self.deep1(x0))))
        z = self.out(torch.cat([x, h], dim=1))
        z = z + self.wide_cs(crossed[:, 0]) + self.wide_dh(crossed[:, 1])
        return z.squeeze(1)


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, dampening=0.0,
                           weight_decay=0.0, nesterov=False)


def evaluate(model, data):
    model.eval()
    cat, crossed, num, y = (torch.from_numpy(a) for a in data)
    with torch.no_grad():
        z = model(cat, crossed, num)
        loss = nn.functional.binary_cross_entropy_with_logits(z, y).item()
    return loss, roc_auc_score(y.numpy(), z.numpy())


def main():
    torch.manual_seed(11)
    train, test = make_data()
    model = WideDeepCross()
    opt = make_optimizer(model)
    criterion = nn.BCEWithLogitsLoss()
    loader = DataLoader(TensorDataset(*[torch.from_numpy(a) for a in train]),
                        batch_size=128, shuffle=True, drop_last=False)
    print("weights", sum(p.numel() for p in model.parameters()))
    for epoch in range(6):
        model.train()
        total, seen = 0.0, 0
        for cat, crossed, num, y in loader:
            opt.zero_grad()
            loss = criterion(model(cat, crossed, num), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
            seen += len(y)
        vl, auc = evaluate(model, test)
        print(f"epoch {epoch + 1} loss {total / seen:.4f} test_loss {vl:.4f} auc {auc:.4f}")


if __name__ == "__main__":
    main()
