"""Forecasting with a small causal convolution network; PyTorch, clip_grad_norm_ and HuberLoss."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

LENGTH, HORIZON, BATCH, EPOCHS = 32, 4, 30, 10


def make_data():
    rng = np.random.default_rng(101)
    n = 1300
    t = np.arange(LENGTH + HORIZON)
    period = rng.uniform(6, 14, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    amp = rng.uniform(0.8, 3.0, size=(n, 1))
    s = amp * np.sin(2 * np.pi * t / period + phase) + rng.normal(scale=0.1, size=(n, len(t)))
    s[rng.uniform(size=s.shape) < 0.01] += 6.0          # some spikes
    s = s.astype(np.float32)
    x, y = s[:, :LENGTH], s[:, LENGTH:]
    return x[:1100], y[:1100], x[1100:], y[1100:]


class CausalConv(nn.Module):
    def __init__(self, c_in, c_out, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(c_in, c_out, 3, dilation=dilation)

    def forward(self, x):
        return self.conv(F.pad(x, (self.pad, 0)))


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = CausalConv(1, 16, 1), CausalConv(16, 16, 2), CausalConv(16, 16, 4)
        self.head = nn.Linear(16, HORIZON)
        for m in self.modules():
            if isinstance(m, (nn.Conv1d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = x.unsqueeze(1)
        for c in (self.c1, self.c2, self.c3):
            h = F.elu(c(h))
        return self.head(h[:, :, -1])


torch.manual_seed(6)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())
model = TCN()
criterion = nn.HuberLoss(reduction="mean", delta=1.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=False)

for epoch in range(EPOCHS):
    total, clipped, steps = 0.0, 0, 0
    for i in range(0, len(x_train), BATCH):      # the series are in random order already
        xb, yb = x_train[i:i + BATCH], y_train[i:i + BATCH]
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.4)
        optimizer.step()
        total += loss.item() * len(xb)
        clipped += int(norm > 0.4)
        steps += 1
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.5f} clipped {clipped}/{steps}")

with torch.no_grad():
    print(f"test loss {criterion(model(x_test), y_test).item():.5f}")
