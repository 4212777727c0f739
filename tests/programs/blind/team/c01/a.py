"""Click-through model: deep & cross network (v2), PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


FIELDS = [12, 30, 8, 50, 6]      # cardinalities of the categorical fields
N_DENSE = 4
EMB = 6


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(1234)
    cat = np.stack([rng.randint(0, c, size=n) for c in FIELDS], axis=1)
    num = rng.randn(n, N_DENSE).astype("float32")
    effects = [truth.randn(c) * 0.7 for c in FIELDS]
    cross = truth.randn(FIELDS[0], FIELDS[2]) * 1.2     # user segment x slot
    z = -0.5 + sum(e[cat[:, i]] for i, e in enumerate(effects))
    z = z + cross[cat[:, 0], cat[:, 2]] + 0.8 * num[:, 0] * num[:, 1] - 0.5 * num[:, 2]
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("float32")
    return cat.astype("int64"), num, y


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


def logloss(y, z):
    return float(np.mean(np.logaddexp(0, z) - y * z))


cat_tr, num_tr, y_tr = make_data(3000, 0)
cat_te, num_te, y_te = make_data(1500, 1)
BATCH, EPOCHS = 64, 10

torch.manual_seed(7)


def glorot_linear(n_in, n_out):
    lin = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)
    return lin


class DCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embs = nn.ModuleList([nn.Embedding(c, EMB) for c in FIELDS])
        for e in self.embs:
            nn.init.uniform_(e.weight, -0.1, 0.1)
        d = EMB * len(FIELDS) + N_DENSE
        self.cross = nn.ModuleList([glorot_linear(d, d) for _ in range(2)])
        self.deep = nn.Sequential(
            glorot_linear(d, 32), nn.ReLU(), glorot_linear(32, 16), nn.ReLU()
        )
        self.out = glorot_linear(d + 16, 1)

    def forward(self, cat, num):
        x0 = torch.cat([e(cat[:, i]) for i, e in enumerate(self.embs)] + [num], dim=1)
        x = x0
        for c in self.cross:
            x = x0 * c(x) + x
        h = self.deep(x0)
        return self.out(torch.cat([x, h], dim=1)).squeeze(1)


model = DCN()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
criterion = nn.BCEWithLogitsLoss()
ds = TensorDataset(torch.from_numpy(cat_tr), torch.from_numpy(num_tr), torch.from_numpy(y_tr))
loader = DataLoader(ds, batch_size=BATCH, shuffle=True, drop_last=False)

# training
for epoch in range(EPOCHS):
    model.train()
    total, count = 0.0, 0
    for cat, num, y in loader:
        opt.zero_grad()
        loss = criterion(model(cat, num), y)
        loss.backward()
        opt.step()
        total += loss.item() * len(y)
        count += len(y)
    print(f"epoch {epoch + 1}: loss {total / count:.4f}")

model.eval()
with torch.no_grad():
    z = model(torch.from_numpy(cat_te), torch.from_numpy(num_te)).numpy().astype("float64")
print(f"test logloss {logloss(y_te, z):.4f}  auc {auc(y_te, z):.4f}")
