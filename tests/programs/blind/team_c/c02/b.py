"""Demand forecasting with quantiles, PyTorch version."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_TRAIN, N_TEST, T = 1620, 400, 14
BATCH, EPOCHS = 40, 7
QUANTILES = (0.1, 0.5, 0.9)


def make_data():
    rng = np.random.RandomState(77)
    n = N_TRAIN + N_TEST
    store = rng.randn(n, 4)
    level = 1.5 + 0.4 * store @ np.array([0.8, -0.5, 0.3, 0.1])
    dow0 = rng.randint(0, 7, n)
    season = np.array([0.0, -0.2, -0.1, 0.1, 0.5, 0.8, 0.3])
    promo = (rng.rand(n, T + 1) < 0.2).astype(float)
    price = 1 + 0.15 * rng.randn(n, T + 1)
    noise = np.zeros((n, T + 1))
    e = rng.randn(n)
    for t in range(T + 1):
        e = 0.7 * e + 0.5 * rng.randn(n)
        noise[:, t] = e
    days = (dow0[:, None] + np.arange(T + 1)[None, :]) % 7
    sales = level[:, None] + season[days] + 0.6 * promo - 1.0 * (price - 1) + 0.4 * noise
    hist = np.stack([sales[:, :T], promo[:, :T], price[:, :T] - 1], axis=2).astype("float32")
    cal = np.concatenate([np.eye(7)[days[:, T]], promo[:, T:], price[:, T:] - 1], axis=1).astype("float32")
    stat = store.astype("float32")
    y = sales[:, T:].astype("float32")
    tr, te = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (hist[tr], cal[tr], stat[tr], y[tr]), (hist[te], cal[te], stat[te], y[te])


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 16, batch_first=True)
        self.static = nn.Linear(4, 8)
        self.mix = nn.Linear(16 + 9 + 8, 32)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(32, len(QUANTILES))
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        for layer in (self.static, self.mix, self.head):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, hist, cal, stat):
        h = self.gru(hist)[0][:, -1]
        s = torch.tanh(self.static(stat))
        x = nn.functional.elu(self.mix(torch.cat([h, cal, s], dim=1)))
        return self.head(self.drop(x))


def pinball(pred, y):
    q = torch.tensor(QUANTILES)
    err = y - pred
    return torch.maximum(q * err, (q - 1.0) * err).mean()


def clip_global(params, limit):
    with torch.no_grad():
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
        scale = limit / torch.clamp(norm, min=limit)
        for p in params:
            p.grad.mul_(scale)


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(model, opt, h, c, s, y):
    opt.zero_grad()
    loss = pinball(model(h, c, s), y)
    loss.backward()
    clip_global(list(model.parameters()), 0.5)
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(3)
    train, test = make_data()
    loader = DataLoader(TensorDataset(*map(torch.from_numpy, train)), batch_size=BATCH, shuffle=True)
    model = Forecaster()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for h, c, s, y in loader:
            total += train_step(model, opt, h, c, s, y) * len(y)
        print(f"epoch {epoch + 1}: loss {total / N_TRAIN:.4f}")
    model.eval()
    h, c, s, y_te = test
    with torch.no_grad():
        pred = model(torch.from_numpy(h), torch.from_numpy(c), torch.from_numpy(s)).numpy()
    err = y_te - pred
    q = np.array(QUANTILES)
    print("test pinball", float(np.maximum(q * err, (q - 1) * err).mean()),
          "coverage", float(((y_te > pred[:, :1]) & (y_te < pred[:, 2:])).mean()))


if __name__ == "__main__":
    main()
