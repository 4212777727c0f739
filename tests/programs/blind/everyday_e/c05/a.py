# Short-term electricity load: GRU, next three hours (PyTorch)
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)


def electricity_load(hours=24 * 80, seed=5):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    daily = 1.0 * np.sin(2 * np.pi * t / 24 - 1.2) + 0.35 * np.sin(4 * np.pi * t / 24)
    weekly = 0.5 * ((t // 24) % 7 >= 5)
    temperature = 0.6 * np.sin(2 * np.pi * t / (24 * 30)) + 0.3 * daily
    noise = np.zeros(hours)
    for i in range(1, hours):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 0.12)
    load = 3.0 + daily * (1 + 0.3 * temperature) - weekly + 0.4 * temperature + noise
    return load, temperature + rng.normal(0, 0.05, hours)


def windows(load, temperature, length=24, horizon=3):
    xs, ys = [], []
    for i in range(len(load) - length - horizon + 1):
        hour = np.arange(i, i + length) % 24
        xs.append(
            np.column_stack(
                [
                    load[i : i + length],
                    temperature[i : i + length],
                    np.sin(2 * np.pi * hour / 24),
                    np.cos(2 * np.pi * hour / 24),
                ]
            )
        )
        ys.append(load[i + length : i + length + horizon])
    return np.array(xs, dtype=np.float32), np.array(ys, dtype=np.float32)


load, temperature = electricity_load()
split = 24 * 65
load = (load - load[:split].mean()) / load[:split].std()
x_train, y_train = windows(load[:split], temperature[:split])
x_test, y_test = windows(load[split:], temperature[split:])


class LoadForecaster(nn.Module):
    def __init__(self, n_features=4, hidden=24, horizon=3):
        super().__init__()
        self.gru = nn.GRU(n_features, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, horizon)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h[-1])


model = LoadForecaster()
criterion = nn.HuberLoss(delta=1.0)
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.9, eps=1e-12)
train_loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
    batch_size=32,
    shuffle=True,
)
x_test, y_test = torch.from_numpy(x_test), torch.from_numpy(y_test)

for epoch in range(8):
    model.train()
    losses, counts = [], []
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
        counts.append(len(xb))

    model.eval()
    with torch.no_grad():
        pred = model(x_test)
        val_loss = criterion(pred, y_test).item()
        mae = (pred - y_test).abs().mean().item()
    print(
        f"epoch {epoch + 1}  loss {np.average(losses, weights=counts):.4f}  "
        f"val_loss {val_loss:.4f}  val_mae {mae:.4f}"
    )
