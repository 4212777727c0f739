import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(60)


def make_data(n=900):
    rng = np.random.default_rng(19)
    num = rng.normal(size=(n, 6))
    cat = rng.integers(0, 5, size=n)
    one_hot = np.eye(5)[cat]
    demand = 1.5 * num[:, 0] + num[:, 1] ** 2 + 0.8 * cat - num[:, 2] * (cat == 3) + 0.3 * rng.standard_t(3, size=n)
    demand = (demand - demand.mean()) / demand.std()
    stockout = (num[:, 3] + 0.5 * num[:, 0] - 0.4 * cat + 0.8 + 0.5 * rng.normal(size=n) > 0).astype("float32")
    return (num.astype("float32"), one_hot.astype("float32"),
            demand.astype("float32")[:, None], stockout[:, None])


class DemandNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.num = nn.Linear(6, 20)
        self.cat = nn.Linear(5, 6)
        self.norm = nn.LayerNorm(26, eps=1e-5)
        self.drop = nn.Dropout(0.1)
        self.shared = nn.Linear(26, 16)
        self.demand = nn.Linear(16, 1)
        self.stockout = nn.Linear(16, 1)
        self.act = nn.SiLU()
        for m in (self.num, self.cat, self.shared, self.demand, self.stockout):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, num, cat):
        h = torch.cat([self.act(self.num(num)), self.act(self.cat(cat))], dim=1)
        h = self.act(self.shared(self.drop(self.norm(h))))
        return self.demand(h), self.stockout(h)


tensors = [torch.from_numpy(v) for v in make_data()]
train = TensorDataset(*[v[:700] for v in tensors])
num_v, cat_v, demand_v, stock_v = [v[700:] for v in tensors]

model = DemandNet()
huber = nn.HuberLoss(delta=1.0)
bce = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.02, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(12):
    model.train()
    total = 0.0
    for num, cat, demand, stockout in DataLoader(train, batch_size=32, shuffle=True):
        d, s = model(num, cat)
        loss = huber(d, demand) + 0.5 * bce(s, stockout)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(num)
    model.eval()
    with torch.no_grad():
        d, s = model(num_v, cat_v)
        h, b = huber(d, demand_v).item(), bce(s, stock_v).item()
    print(f"epoch {epoch + 1}: loss {total / 700:.4f} val_loss {h + 0.5 * b:.4f} (demand {h:.4f}, stockout {b:.4f})")
