"""Forecast the next hour of a seasonal series with an LSTM, PyTorch."""
import math
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
torch.set_num_threads(1)
WINDOW, EPOCHS, BATCH = 24, 8, 32

# data
rng = np.random.RandomState(1)
t = np.arange(1300)
series = (np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 168)
          + 0.3 * np.cos(2 * np.pi * t / 12) + 0.1 * rng.randn(len(t)))
series = ((series - series[:1000].mean()) / series[:1000].std()).astype("float32")
windows = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)])[..., None]
targets = series[WINDOW:][:, None]
x_train, y_train = torch.from_numpy(windows[:1000]), torch.from_numpy(targets[:1000])
x_test, y_test = torch.from_numpy(windows[1000:]), torch.from_numpy(targets[1000:])


class Forecaster(nn.Module):
    def __init__(self, units=24):
        super().__init__()
        self.lstm = nn.LSTM(1, units)
        self.hidden = nn.Linear(units, 12)
        self.out = nn.Linear(12, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[units:2 * units] = 1.0   # forget gate open
        self.lstm.bias_hh_l0.requires_grad_(False)        # one bias is enough
        for m in (self.hidden, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        sequence, _ = self.lstm(x)
        return self.out(torch.tanh(self.hidden(sequence[:, -1])))


model = Forecaster()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)
criterion = nn.HuberLoss(delta=1.0)
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                             lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
steps = EPOCHS * len(loader)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda k: 0.5 * (1.0 + math.cos(math.pi * min(k, steps) / steps)))

# training
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    model.eval()
    with torch.no_grad():
        val = criterion(model(x_test), y_test).item()
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f} val_loss {val:.4f}")
with torch.no_grad():
    print("test mae %.4f" % (model(x_test) - y_test).abs().mean().item())
