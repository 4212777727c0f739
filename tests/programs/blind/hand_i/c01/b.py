"""Gated running sum: regress a decayed sum of the samples whose gate is open.

PyTorch, the LSTM recurrence written out gate by gate.
"""
import numpy as np
import torch
from torch import nn

SEQ, UNITS, BATCH, EPOCHS = 14, 20, 64, 16


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    value = rng.uniform(-1, 1, size=(n, SEQ))
    gate = (rng.uniform(size=(n, SEQ)) < 0.4).astype("float64")
    decay = 0.85 ** np.arange(SEQ - 1, -1, -1)
    target = (value * gate * decay).sum(axis=1, keepdims=True)
    x = np.stack([value, gate], axis=-1)
    return x.astype("float32"), target.astype("float32")


class GateLSTM(nn.Module):
    """One layer, one bias; the four gates sit side by side: in, forget, cell, out."""

    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.w = nn.Parameter(torch.empty(n_in, 4 * units))
        self.r = nn.Parameter(torch.empty(units, 4 * units))
        self.b = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.w)
        nn.init.orthogonal_(self.r)
        with torch.no_grad():
            self.b[units:2 * units] = 1.0  # remember at first

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.w + h @ self.r + self.b
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = GateLSTM(2, UNITS)
        self.head = nn.Linear(UNITS, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.lstm(x))


def main():
    torch.manual_seed(3)
    x, y = (torch.from_numpy(v) for v in make_data(1200, 0))
    xt, yt = (torch.from_numpy(v) for v in make_data(400, 1))
    model = Net()
    opt = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
    print("weights:", sum(p.numel() for p in model.parameters()))
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x))
        total = 0.0
        for start in range(0, len(x), BATCH):
            idx = order[start:start + BATCH]
            err = model(x[idx]) - y[idx]
            loss = (err ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(x):.5f}")
    model.eval()
    with torch.no_grad():
        print(f"test mse {((model(xt) - yt) ** 2).mean().item():.5f}")


if __name__ == "__main__":
    main()
