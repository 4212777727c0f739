"""Demand forecast: GRU over the history, store and planned promotions on the side,
seven days ahead, three quantiles each (pinball loss).  PyTorch."""
import numpy as np
import torch
from torch import nn

HIST, HORIZON, STORES = 28, 7, 12
QUANTILES = (0.1, 0.5, 0.9)
BATCH, EPOCHS, LR = 75, 5, 4e-3


def make_data():
    rng = np.random.default_rng(77)
    days = 420
    t = np.arange(days)
    series, promo = [], []
    for s in range(STORES):
        base = rng.uniform(2.0, 5.0)
        week = rng.normal(0, 0.6, 7)
        p = (rng.random(days) < 0.15).astype(float)
        noise = np.zeros(days)
        for i in range(1, days):
            noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.25 + 0.25 * p[i])
        series.append(base + week[t % 7] + 0.5 * np.sin(2 * np.pi * t / 90 + s) + 1.2 * p + noise)
        promo.append(p)
    series, promo = np.array(series), np.array(promo)
    mu, sd = series.mean(), series.std()
    z = (series - mu) / sd
    hist, future, store, target, start = [], [], [], [], []
    for s in range(STORES):
        for d in range(HIST, days - HORIZON, 1):
            w = slice(d - HIST, d)
            f = slice(d, d + HORIZON)
            hist.append(np.stack([z[s, w], promo[s, w], (t[w] % 7) / 6.0], axis=1))
            future.append(np.stack([promo[s, f], (t[f] % 7) / 6.0], axis=1))
            store.append(np.eye(STORES)[s])
            target.append(z[s, f])
            start.append(d)
    start = np.array(start)
    out = [np.array(a, dtype="float32") for a in (hist, store, future, target)]
    past, late = np.where(start < 330)[0], np.where(start >= 340)[0]
    past = rng.permutation(past)[:3300]
    return [a[past] for a in out], [a[late] for a in out]


class Forecaster(nn.Module):
    def __init__(self, units=24):
        super().__init__()
        self.gru = nn.GRU(3, units, batch_first=True)
        self.store = nn.Linear(STORES, 6)
        self.future = nn.Linear(HORIZON * 2, 16)
        self.mix = nn.Linear(units + 6 + 16, 40)
        self.head = nn.Linear(40, HORIZON * len(QUANTILES))
        for lin in (self.store, self.future, self.mix, self.head):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)

    def forward(self, hist, store, future):
        _, h = self.gru(hist)
        x = torch.cat([h[0], torch.tanh(self.store(store)),
                       torch.relu(self.future(future.flatten(1)))], dim=1)
        x = torch.relu(self.mix(x))
        return self.head(x).view(-1, HORIZON, len(QUANTILES))


def pinball(pred, target):
    q = torch.tensor(QUANTILES)
    e = target.unsqueeze(-1) - pred
    return torch.maximum(q * e, (q - 1.0) * e).mean()


def make_optimizer(model, total_steps):
    opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=total_steps, eta_min=0.0)
    return opt, sched


def main():
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    train, test = make_data()
    train = [torch.from_numpy(a) for a in train]
    test = [torch.from_numpy(a) for a in test]
    n = len(train[0])
    model = Forecaster()
    per_epoch = -(-n // BATCH)
    opt, sched = make_optimizer(model, EPOCHS * per_epoch)
    print(n, "windows,", sum(p.numel() for p in model.parameters()), "weights")
    for epoch in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(n))
        total = 0.0
        for i in range(0, n, BATCH):
            hist, store, future, y = (a[order[i:i + BATCH]] for a in train)
            loss = pinball(model(hist, store, future), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(y)
        with torch.no_grad():
            pred = model(*test[:3])
            vl = pinball(pred, test[3]).item()
            cover = (test[3] < pred[..., 2]).float().mean().item() - \
                (test[3] < pred[..., 0]).float().mean().item()
        print(f"epoch {epoch + 1} train {total / n:.4f} test {vl:.4f} coverage80 {cover:.3f}")


if __name__ == "__main__":
    main()
