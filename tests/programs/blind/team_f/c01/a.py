"""Click-through rate: wide & deep model with crossed features (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

FIELDS = {"segment": 20, "site": 30, "ad": 40, "hour": 24, "device": 5,
          "ad_x_site": 150, "device_x_hour": 120}
DIM = 6
BATCH = 100
EPOCHS = 6
LR = 0.4


def make_data():
    rng = np.random.default_rng(11)
    n = 9500
    segment = rng.integers(0, 20, n)
    site = rng.integers(0, 30, n)
    ad = rng.integers(0, 40, n)
    hour = rng.integers(0, 24, n)
    device = rng.integers(0, 5, n)
    ad_x_site = (ad * 30 + site) * 7 % 150
    device_x_hour = device * 24 + hour
    num = rng.normal(size=(n, 2)).astype("float32")
    w_seg, w_site, w_ad = rng.normal(0, .5, 20), rng.normal(0, .5, 30), rng.normal(0, .6, 40)
    w_cross, w_dh = rng.normal(0, 1.0, 150), rng.normal(0, .7, 120)
    z = (-0.8 + w_seg[segment] + w_site[site] + w_ad[ad] + w_cross[ad_x_site]
         + w_dh[device_x_hour] + 0.6 * num[:, 0] - 0.5 * num[:, 0] * num[:, 1])
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype("float32")
    cat = np.stack([segment, site, ad, hour, device, ad_x_site, device_x_hour], 1).astype("int64")
    return (cat[:8000], num[:8000], y[:8000]), (cat[8000:], num[8000:], y[8000:])


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = list(FIELDS.values())
        self.wide = nn.ModuleList(nn.Embedding(s, 1) for s in sizes)
        self.emb = nn.ModuleList(nn.Embedding(s, DIM) for s in sizes)
        self.h1 = nn.Linear(DIM * len(sizes) + 2, 48)
        self.h2 = nn.Linear(48, 24)
        self.out = nn.Linear(24, 1)
        for e in self.wide:
            nn.init.zeros_(e.weight)
        for e in self.emb:
            nn.init.normal_(e.weight, std=0.1)
        for lin in (self.h1, self.h2, self.out):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, cat, num):
        wide = sum(e(cat[:, i]) for i, e in enumerate(self.wide))
        deep = torch.cat([e(cat[:, i]) for i, e in enumerate(self.emb)] + [num], dim=1)
        deep = torch.relu(self.h1(deep))
        deep = torch.relu(self.h2(deep))
        return (wide + self.out(deep)).squeeze(1)


def main():
    torch.manual_seed(5)
    (ct, nt, yt), (cv, nv, yv) = [[torch.from_numpy(x) for x in part] for part in make_data()]
    loader = DataLoader(TensorDataset(ct, nt, yt), batch_size=BATCH, shuffle=True, drop_last=False)
    model = WideDeep()
    loss_fn = nn.BCEWithLogitsLoss()
    opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.0, weight_decay=0.0)
    for epoch in range(EPOCHS):
        model.train()
        total, seen = 0.0, 0
        for c, x, y in loader:
            opt.zero_grad()
            loss = loss_fn(model(c, x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
            seen += len(y)
        model.eval()
        with torch.no_grad():
            z = model(cv, nv)
            val = loss_fn(z, yv).item()
            acc = ((z > 0).float() == yv).float().mean().item()
        print(f"epoch {epoch + 1}: loss {total / seen:.4f}  val logloss {val:.4f}  val acc {acc:.3f}")


if __name__ == "__main__":
    main()
