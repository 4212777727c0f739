"""Next value of a noisy oscillation with an LSTM (PyTorch)."""
import numpy as np
import torch
from torch import nn

EPOCHS = 12
BATCH = 32
STEPS_IN = 16


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    freq = rng.uniform(0.2, 0.9, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    amp = rng.uniform(0.5, 1.5, size=(n, 1))
    t = np.arange(STEPS_IN + 1)[None, :]
    clean = amp * np.sin(freq * t + phase)
    noisy = clean + 0.05 * rng.standard_normal(clean.shape)
    x = np.stack([noisy[:, :-1], np.diff(noisy, axis=1, prepend=noisy[:, :1])[:, :-1]], axis=2)
    return x.astype("float32"), clean[:, -1:].astype("float32")


x_train, y_train = map(torch.from_numpy, make_data(800, 5))
x_test, y_test = map(torch.from_numpy, make_data(400, 6))

torch.manual_seed(7)


class Forecaster(nn.Module):
    def __init__(self, units=24):
        super().__init__()
        self.lstm = nn.LSTM(2, units, batch_first=True)
        self.hidden = nn.Linear(units, 16)
        self.out = nn.Linear(16, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[units:2 * units] = 1.0
        # one trained bias is enough
        self.lstm.bias_hh_l0.requires_grad_(False)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        seq, _ = self.lstm(x)
        return self.out(torch.tanh(self.hidden(seq[:, -1])))


model = Forecaster()
optimizer = torch.optim.Adam(
    [p for p in model.parameters() if p.requires_grad], lr=0.005, betas=(0.9, 0.999), eps=1e-12)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.995)
mse = nn.MSELoss()

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(BATCH):
        optimizer.zero_grad()
        loss = mse(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  mse {total / len(x_train):.5f}")

model.eval()
with torch.no_grad():
    print(f"test mse {mse(model(x_test), y_test).item():.5f}")
