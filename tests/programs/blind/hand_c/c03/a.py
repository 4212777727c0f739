"""Sequence regression with an LSTM cell written out by hand (PyTorch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(42)
torch.set_num_threads(1)

T, UNITS, BATCH, EPOCHS, CLIP = 14, 20, 50, 16, 0.3


def sequences(n, seed):
    g = np.random.RandomState(seed)
    x = g.uniform(-1, 1, size=(n, T, 3)).astype("float32")
    gate = (x[:, :, 1] > 0).astype("float32")
    y = (x[:, :, 0] * gate).sum(1) + 0.5 * x[:, -1, 2] + 0.05 * g.randn(n)
    return x, y.astype("float32")[:, None]


x_tr, y_tr = sequences(1000, 10)
x_te, y_te = sequences(300, 11)


class LSTMRegressor(nn.Module):
    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(n_in, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        self.out = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[units:2 * units] = 1.0     # forget gate starts open
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = torch.zeros_like(h)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h)


def huber(pred, target):
    err = (pred - target).abs()
    return torch.where(err <= 1.0, 0.5 * err ** 2, err - 0.5).mean()


net = LSTMRegressor(3, UNITS)
opt = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)


def clip_global(params, limit):
    norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
    if norm > limit:
        for p in params:
            p.grad.mul_(limit / norm)


def train_step(xb, yb):
    loss = huber(net(xb), yb)
    opt.zero_grad()
    loss.backward()
    clip_global(list(net.parameters()), CLIP)
    opt.step()
    return loss.item()


def main():
    xt, yt = torch.from_numpy(x_tr), torch.from_numpy(y_tr)
    for epoch in range(1, EPOCHS + 1):
        perm = torch.randperm(len(xt))
        run = 0.0
        for k in range(0, len(xt), BATCH):
            j = perm[k:k + BATCH]
            run += train_step(xt[j], yt[j]) * len(j)
        print(f"epoch {epoch}: huber {run / len(xt):.5f}")
    with torch.no_grad():
        print(f"test huber {huber(net(torch.from_numpy(x_te)), torch.from_numpy(y_te)).item():.5f}")


if __name__ == "__main__":
    main()
