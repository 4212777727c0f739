"""Wide-and-deep click model with crossed features, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def make_clicks(n=3840, seed=11):
    """Impressions: segment, category, hour, device, plus three numeric columns."""
    r = np.random.RandomState(seed)
    seg = r.randint(0, 12, n)
    cat = r.randint(0, 16, n)
    hour = r.randint(0, 24, n)
    dev = r.randint(0, 4, n)
    num = r.normal(size=(n, 3))
    w_seg, w_cat, w_dev = r.normal(0, 0.5, 12), r.normal(0, 0.7, 16), r.normal(0, 0.4, 4)
    w_cross = r.normal(0, 1.3, (12, 16))
    z = (w_seg[seg] + w_cat[cat] + w_dev[dev] + w_cross[seg, cat]
         + 0.6 * np.sin(hour / 24.0 * 2 * np.pi) + 0.8 * num[:, 0] - 0.5 * num[:, 1] * num[:, 2] - 0.6)
    click = (r.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("float32")
    seg_cat = (seg * 16 + cat) % 192            # crossed features, as bucket ids
    dev_hour = dev * 24 + hour
    ids = np.stack([seg, cat, hour, dev, seg_cat, dev_hour], 1).astype("int64")
    return ids, num.astype("float32"), click


SIZES = [12, 16, 24, 4, 192, 96]
DIM = 6
BATCH = 64
EPOCHS = 9
LR = 0.4
L2 = 2e-5

ids, num, click = make_clicks()
ids_tr, num_tr, y_tr = ids[:3200], num[:3200], click[:3200]
ids_te, num_te, y_te = ids[3200:], num[3200:], click[3200:]


def auc(y, s):
    rank = np.empty(len(s))
    rank[np.argsort(s)] = np.arange(1, len(s) + 1)
    pos = y > 0.5
    return (rank[pos].sum() - pos.sum() * (pos.sum() + 1) / 2) / (pos.sum() * (~pos).sum())


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.ModuleList([nn.Embedding(s, DIM) for s in SIZES])
        self.wide = nn.ModuleList([nn.Embedding(s, 1) for s in SIZES[4:]])
        self.fc1 = nn.Linear(DIM * len(SIZES) + 3, 40)
        self.fc2 = nn.Linear(40, 20)
        self.out = nn.Linear(20, 1)
        for e in self.emb:
            nn.init.uniform_(e.weight, -0.2, 0.2)
        for e in self.wide:
            nn.init.zeros_(e.weight)
        for l in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(l.weight)
            nn.init.zeros_(l.bias)

    def forward(self, ids, num):
        parts = [e(ids[:, k]) for k, e in enumerate(self.emb)]
        h = torch.cat(parts + [num], dim=1)
        h = torch.relu(self.fc1(h))
        h = torch.relu(self.fc2(h))
        z = self.out(h)
        for k, e in enumerate(self.wide):
            z = z + e(ids[:, 4 + k])
        return z.squeeze(1)


torch.manual_seed(3)
model = WideDeep()
opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.0, weight_decay=0.0)

I, N, Y = torch.from_numpy(ids_tr), torch.from_numpy(num_tr), torch.from_numpy(y_tr)
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    perm = torch.randperm(len(Y))
    for s in range(0, len(Y), BATCH):
        b = perm[s:s + BATCH]
        opt.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(I[b], N[b]), Y[b])
        penalty = L2 * (model.fc1.weight.square().sum() + model.fc2.weight.square().sum())
        (loss + penalty).backward()
        opt.step()
        total += loss.item() * len(b)
    print(f"epoch {epoch + 1} log loss {total / len(Y):.4f}")

model.eval()
with torch.no_grad():
    z = model(torch.from_numpy(ids_te), torch.from_numpy(num_te))
    ll = F.binary_cross_entropy_with_logits(z, torch.from_numpy(y_te)).item()
print(f"test log loss {ll:.4f} auc {auc(y_te, z.numpy()):.4f}")
