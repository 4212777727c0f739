"""Demand forecasting: three quantiles from a sales history, a calendar and the store (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def make_data():
    """Daily sales of 8 stores; windows of 21 days, target = the day after."""
    rng = np.random.default_rng(23)
    days, stores, hist = 330, 8, 21
    t = np.arange(days)
    H, C, S, Y, D = [], [], [], [], []
    for s in range(stores):
        weekly = 1 + 0.35 * np.sin(2 * np.pi * (t + rng.integers(7)) / 7)
        yearly = 1 + 0.2 * np.sin(2 * np.pi * t / 365 + rng.uniform(0, 6))
        promo = (rng.random(days) < 0.15).astype(float)
        price = 1 + 0.1 * rng.normal(size=days)
        level = rng.uniform(0.6, 1.4)
        noise = np.exp(0.12 * (1 + promo) * rng.normal(size=days))
        sales = level * weekly * yearly * (1 + 0.6 * promo) * (1 - 0.8 * (price - 1)) * noise
        for d in range(hist, days):
            H.append(np.stack([sales[d - hist:d] - 1, promo[d - hist:d]], 1))
            C.append([np.sin(2 * np.pi * d / 7), np.cos(2 * np.pi * d / 7), promo[d], (price[d] - 1) * 10])
            S.append(np.eye(stores)[s])
            Y.append(sales[d])
            D.append(d)
    H, C, S, Y = (np.asarray(v, dtype="float32") for v in (H, C, S, Y))
    train = np.asarray(D) < 280
    return (H[train], C[train], S[train], Y[train]), (H[~train], C[~train], S[~train], Y[~train])


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 20, batch_first=True)
        self.cal = nn.Linear(4, 12)
        self.store = nn.Linear(8, 4, bias=False)
        self.hidden = nn.Linear(20 + 12 + 4, 24)
        self.head = nn.Linear(24, 3)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        for lin in (self.cal, self.store, self.hidden, self.head):
            nn.init.xavier_uniform_(lin.weight)
            if lin.bias is not None:
                nn.init.zeros_(lin.bias)

    def forward(self, hist, cal, store):
        _, last = self.gru(hist)
        z = torch.cat([last[0], torch.tanh(self.cal(cal)), self.store(store)], dim=1)
        return self.head(F.relu(self.hidden(z)))


def pinball(pred, y):
    err = y[:, None] - pred
    return torch.maximum(QUANTILES * err, (QUANTILES - 1) * err).mean()


def main():
    torch.manual_seed(77)
    train, test = make_data()
    h, c, s, y = map(torch.from_numpy, train)
    hv, cv, sv, yv = map(torch.from_numpy, test)
    net = Forecaster()
    opt = torch.optim.Adam(net.parameters(), lr=4e-3, betas=(0.9, 0.999), eps=1e-12)
    sched = torch.optim.lr_scheduler.StepLR(opt, step_size=1, gamma=0.75)
    for epoch in range(9):
        net.train()
        order = torch.randperm(len(y))
        running = 0.0
        for idx in order.split(64):
            loss = pinball(net(h[idx], c[idx], s[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        sched.step()
        net.eval()
        with torch.no_grad():
            pred = net(hv, cv, sv)
            val = pinball(pred, yv).item()
        print(f"epoch {epoch + 1}  train pinball {running / len(y):.4f}  test pinball {val:.4f}")
    print("coverage 10-90:", ((yv >= pred[:, 0]) & (yv <= pred[:, 2])).float().mean().item())


if __name__ == "__main__":
    main()
