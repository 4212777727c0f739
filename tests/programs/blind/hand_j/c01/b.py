"""Damped-oscillation forecasting, LSTM cell written out in PyTorch."""
import numpy as np
import torch
from torch import nn

T, F, UNITS = 14, 2, 20
BATCH, EPOCHS, LR = 32, 20, 4e-3


def make_data(n, rng):
    freq = rng.uniform(0.3, 1.2, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    damp = rng.uniform(0.0, 0.08, size=(n, 1))
    t = np.arange(T + 2)[None, :]
    s = np.exp(-damp * t) * np.sin(freq * t + phase)
    x = s[:, :T] + 0.03 * rng.normal(size=(n, T))
    dx = np.diff(x, axis=1, prepend=x[:, :1])
    return np.stack([x, dx], axis=-1).astype("float32"), s[:, T + 1:].astype("float32")


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        # gates side by side: input, forget, candidate, output; a single bias
        self.kernel = nn.Parameter(torch.empty(F, 4 * UNITS))
        self.recurrent = nn.Parameter(torch.empty(UNITS, 4 * UNITS))
        self.bias = nn.Parameter(torch.zeros(4 * UNITS))
        self.out = nn.Linear(UNITS, 1)
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[UNITS:2 * UNITS] = 1.0
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        h = x.new_zeros(len(x), UNITS)
        c = x.new_zeros(len(x), UNITS)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h)


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)


def train_step(model, opt, xb, yb):
    loss = ((model(xb) - yb) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def main():
    rng = np.random.default_rng(11)
    x, y = map(torch.from_numpy, make_data(500, rng))
    xt, yt = map(torch.from_numpy, make_data(200, rng))

    torch.manual_seed(8)
    model = Forecaster()
    opt = make_optimizer(model)
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(x)).split(BATCH):
            total += train_step(model, opt, x[idx], y[idx]) * len(idx)
        print(f"epoch {epoch + 1}: loss {total / len(x):.5f}")

    with torch.no_grad():
        print("test mse %.5f" % ((model(xt) - yt) ** 2).mean().item())


if __name__ == "__main__":
    main()
