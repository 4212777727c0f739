"""Weekly demand quantiles from history, promo plan and store facts. PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


def make_demand(n=1850, seed=5):
    """28 days of (sales, price, promo), the promo plan of the coming week, and store facts."""
    r = np.random.RandomState(seed)
    t = np.arange(35)
    store = r.randint(0, 6, n)
    level = np.array([1.0, 1.4, 0.8, 1.8, 1.2, 0.6])[store] * np.exp(r.normal(0, 0.25, n))
    phase = r.randint(0, 7, n)
    season = 1 + 0.35 * np.sin(2 * np.pi * (t[None] + phase[:, None]) / 7)
    trend = 1 + r.normal(0, 0.008, (n, 1)) * t[None]
    promo = (r.uniform(size=(n, 35)) < 0.2).astype("float64")
    price = 1 - 0.25 * promo + r.normal(0, 0.03, (n, 35))
    mean = level[:, None] * season * trend * (1 + 0.8 * promo)
    sales = mean * np.exp(r.normal(0, 0.18, (n, 35)))
    hist = np.stack([sales[:, :28], price[:, :28], promo[:, :28]], 2).astype("float32")
    plan = promo[:, 28:].astype("float32")
    static = np.concatenate([np.eye(6)[store], r.normal(size=(n, 2))], 1).astype("float32")
    target = sales[:, 28:].mean(1, keepdims=True).astype("float32")
    return hist, plan, static, target


QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")
BATCH = 32
EPOCHS = 10
LR = 4e-3
DECAY = 0.8          # learning rate times this after each epoch
N_TRAIN = 1550       # 48 full batches and one of 14
STEPS = 49

hist, plan, static, target = make_demand()

torch.manual_seed(42)


class Demand(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 16, 5)
        self.conv2 = nn.Conv1d(16, 16, 3, dilation=4)
        self.plan = nn.Linear(7, 8)
        self.static = nn.Linear(8, 8)
        self.hidden = nn.Linear(16 + 16 + 8 + 8, 32)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(32, 3)
        for m in self.modules():
            if isinstance(m, (nn.Conv1d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, hist, plan, static):
        x = hist.transpose(1, 2)                       # (B, channels, days)
        x = F.elu(self.conv1(F.pad(x, (4, 0))))        # look at the past only
        x = F.elu(self.conv2(F.pad(x, (8, 0))))
        z = torch.cat([x.mean(2), x[:, :, -1], F.elu(self.plan(plan)), F.elu(self.static(static))], 1)
        z = self.drop(F.elu(self.hidden(z)))
        return self.head(z)


taus = torch.from_numpy(QUANTILES)


def pinball(q, y):
    e = y - q
    return torch.maximum(taus * e, (taus - 1) * e).mean()


train = TensorDataset(*(torch.from_numpy(v[:N_TRAIN]) for v in (hist, plan, static, target)))
test = [torch.from_numpy(v[N_TRAIN:]) for v in (hist, plan, static, target)]
loader = DataLoader(train, batch_size=BATCH, shuffle=True, drop_last=False)

model = Demand()
opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=1, gamma=DECAY)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for h, p, s, y in loader:
        loss = pinball(model(h, p, s), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(y)
    sched.step()
    print(f"epoch {epoch + 1}: pinball {total / N_TRAIN:.4f}")

model.eval()
with torch.no_grad():
    q = model(*test[:3])
    y = test[3]
    cover = ((y >= q[:, :1]) & (y <= q[:, 2:])).float().mean().item()
    print(f"test pinball {pinball(q, y).item():.4f}  coverage 10-90: {cover:.3f}")
