"""Forecast the next value of a damped oscillation with an LSTM cell written out in PyTorch."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(58)

SEQ, HIDDEN, BATCH, EPOCHS, LR = 20, 24, 40, 14, 4e-3


def make_data(n=1000, seed=101):
    rng = np.random.default_rng(seed)
    t = np.arange(SEQ + 1)[None, :]
    freq = rng.uniform(0.2, 0.9, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    damp = rng.uniform(0.0, 0.06, (n, 1))
    wave = np.exp(-damp * t) * np.sin(freq * t + phase)
    x = np.stack([wave[:, :-1], np.diff(wave, axis=1, prepend=wave[:, :1])[:, :-1]], axis=-1)
    x = x + 0.03 * rng.normal(size=x.shape)
    y = wave[:, -1:]
    return x.astype("float32"), y.astype("float32")


class MyLSTM(nn.Module):
    """One bias, gates in the order input, forget, candidate, output."""

    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(n_in, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[units:2 * units] = 1.0      # forget gate open at the start

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = MyLSTM(2, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        return self.out(self.lstm(x))


x, y = make_data()
x_train, y_train = torch.from_numpy(x[:800]), torch.from_numpy(y[:800])
x_test, y_test = torch.from_numpy(x[800:]), torch.from_numpy(y[800:])

model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
print("parameters:", sum(p.numel() for p in model.parameters()))

for epoch in range(EPOCHS):
    total = 0.0
    order = torch.randperm(len(x_train))
    for s in range(0, len(order), BATCH):
        idx = order[s:s + BATCH]
        pred = model(x_train[idx])
        loss = ((pred - y_train[idx]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(order):.5f}")

with torch.no_grad():
    print("test mse: %.5f" % ((model(x_test) - y_test) ** 2).mean().item())
