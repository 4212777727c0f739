"""Store demand with an LSTM and side inputs, three quantiles, in PyTorch."""
import numpy as np
import torch
import torch.nn as nn

T, F_HIST, N_STORE, F_PLAN = 21, 3, 10, 4
HIDDEN = 24


def make_data(n=3000):
    rng = np.random.default_rng(77)
    store = rng.integers(0, N_STORE, n)
    level = rng.normal(size=N_STORE)[store]
    phase = rng.integers(0, 7, n)
    t = np.arange(T + 1)
    season = np.sin(2 * np.pi * (t[None, :] + phase[:, None]) / 7)
    trend = rng.normal(size=(n, 1)) * 0.05
    promo = (rng.uniform(size=(n, T + 1)) < 0.2).astype(float)
    price = rng.normal(size=(n, T + 1)) * 0.3
    series = (level[:, None] + 0.8 * season + trend * t[None, :] + 1.2 * promo - 0.7 * price
              + 0.3 * rng.normal(size=(n, T + 1)) * (1 + promo))
    hist = np.stack([series[:, :T], promo[:, :T], price[:, :T]], axis=2).astype("float32")
    static = np.eye(N_STORE)[store].astype("float32")
    day = phase + T
    plan = np.stack([promo[:, T], price[:, T], np.sin(2 * np.pi * day / 7), np.cos(2 * np.pi * day / 7)], 1).astype("float32")
    y = series[:, T:].astype("float32")
    k = 2400
    return (hist[:k], static[:k], plan[:k], y[:k]), (hist[k:], static[k:], plan[k:], y[k:])


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(F_HIST, HIDDEN, batch_first=True)
        self.static = nn.Linear(N_STORE, 6)
        self.mix = nn.Linear(HIDDEN + 6 + F_PLAN, 24)
        self.quantiles = nn.Linear(24, 3)
        for m in (self.static, self.mix, self.quantiles):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[HIDDEN:2 * HIDDEN] = 1.0      # forget gate
            self.lstm.bias_hh_l0.zero_()
        self.lstm.bias_hh_l0.requires_grad_(False)             # a single bias vector

    def forward(self, hist, static, plan):
        seq, _ = self.lstm(hist)
        s = torch.tanh(self.static(static))
        x = torch.tanh(self.mix(torch.cat([seq[:, -1], s, plan], dim=1)))
        return self.quantiles(x)


def quantile_loss(pred, y):
    losses = []
    for i, q in enumerate((0.1, 0.5, 0.9)):
        err = y[:, 0] - pred[:, i]
        losses.append(torch.where(err >= 0, q * err, (q - 1) * err).mean())
    return sum(losses) / 3


def main():
    torch.manual_seed(3)
    train, test = make_data()
    train = [torch.from_numpy(a) for a in train]
    test = [torch.from_numpy(a) for a in test]
    model = Forecaster()
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.Adam(params, lr=0.004, betas=(0.9, 0.999), eps=1e-12)
    n = len(train[0])
    for epoch in range(8):
        perm = torch.randperm(n)
        running = 0.0
        for i in range(0, n, 64):
            idx = perm[i:i + 64]
            h, s, p, y = (a[idx] for a in train)
            loss = quantile_loss(model(h, s, p), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        print("epoch %d pinball %.4f" % (epoch + 1, running / n))
    model.eval()
    with torch.no_grad():
        pred = model(*test[:3])
        y = test[3]
        print("test pinball %.4f" % quantile_loss(pred, y).item())
        inside = (y[:, 0] > pred[:, 0]) & (y[:, 0] < pred[:, 2])
        print("coverage 10-90: %.3f" % inside.float().mean().item())


if __name__ == "__main__":
    main()
