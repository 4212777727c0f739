"""LSTM cell written out by hand, sum of the two marked values of a sequence (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS, HIDDEN = 16, 24


def marked_sequences(n=520, seed=19):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, STEPS, 2))
    x[:, :, 0] = rng.uniform(-1, 1, size=(n, STEPS))
    rows = np.arange(n)
    first = rng.integers(0, 4, size=n)
    second = rng.integers(4, 10, size=n)
    x[rows, first, 1] = 1.0
    x[rows, second, 1] = 1.0
    y = x[rows, first, 0] + x[rows, second, 0]
    return x.astype("float32"), y[:, None].astype("float32")


class HandLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.empty(2, 4 * HIDDEN))
        self.u = nn.Parameter(torch.empty(HIDDEN, 4 * HIDDEN))
        self.b = nn.Parameter(torch.zeros(4 * HIDDEN))
        self.w_out = nn.Parameter(torch.empty(HIDDEN, 1))
        self.b_out = nn.Parameter(torch.zeros(1))
        for p in (self.w, self.u, self.w_out):
            nn.init.normal_(p, mean=0.0, std=0.25)
        with torch.no_grad():
            self.b[HIDDEN:2 * HIDDEN] = 2.5

    def forward(self, x):
        h = x.new_zeros(x.shape[0], HIDDEN)
        c = x.new_zeros(x.shape[0], HIDDEN)
        for t in range(STEPS):
            z = x[:, t] @ self.w + h @ self.u + self.b
            i, f, g, o = z.chunk(4, dim=1)
            c = F.hardsigmoid(f) * c + F.hardsigmoid(i) * torch.tanh(g)
            h = F.hardsigmoid(o) * torch.tanh(c)
        return h @ self.w_out + self.b_out


torch.manual_seed(4)
x, y = marked_sequences()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:400], y[:400], x[400:], y[400:]
model = HandLSTM()
opt = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(40):
    perm = torch.randperm(400)
    total = 0.0
    for idx in perm.split(40):
        opt.zero_grad()
        loss = F.mse_loss(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch + 1} mse {total / 10:.5f}")

with torch.no_grad():
    print("test mse", F.mse_loss(model(x_test), y_test).item())
