"""Forecast the next value of a noisy seasonal signal with an LSTM (PyTorch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)


def series(n=900, steps=18, seed=314):
    g = np.random.default_rng(seed)
    t = np.arange(steps + 1)
    level = g.uniform(0.5, 2.5, size=(n, 1))
    amp = g.uniform(0.3, 1.2, size=(n, 1))
    freq = g.uniform(0.25, 0.6, size=(n, 1))
    phase = g.uniform(0, 2 * np.pi, size=(n, 1))
    s = level + amp * np.sin(freq * t + phase) + 0.05 * g.standard_normal((n, steps + 1))
    return s[:, :-1, None].astype(np.float32), s[:, -1:].astype(np.float32)


x, y = series()
x_tr, y_tr, x_te, y_te = x[:720], y[:720], x[720:], y[720:]
UNITS, BATCH, EPOCHS, LR = 24, 40, 18, 0.03


class Forecaster(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(1, units, batch_first=True)
        self.out = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[units:2 * units] = 1.0
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, seq):
        h, _ = self.lstm(seq)
        return self.out(h[:, -1])


model = Forecaster(UNITS)
opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
loss_fn = nn.MSELoss()
X, Y = torch.from_numpy(x_tr), torch.from_numpy(y_tr)

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(X)).split(BATCH):
        loss = loss_fn(model(X[idx]), Y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:02d}: mse {total / len(X):.5f}")

with torch.no_grad():
    pred = model(torch.from_numpy(x_te)).numpy()
print(f"test mse {np.mean((pred - y_te) ** 2):.5f}")
