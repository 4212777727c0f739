"""Next-hour electricity load with an LSTM (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)

WINDOW = 24


def load_curve(hours, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    daily = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 1.0)
    weekly = 0.5 * (np.sin(2 * np.pi * t / 168) > 0.3)
    ar = np.zeros(hours)
    for i in range(1, hours):
        ar[i] = 0.9 * ar[i - 1] + rng.normal(0, 0.08)
    temperature = 0.5 * np.sin(2 * np.pi * (t - 6) / 24) + rng.normal(0, 0.2, hours)
    load = daily + weekly + ar - 0.3 * temperature
    return load, temperature


load, temperature = load_curve(1300, seed=99)
load = (load - load[:1000].mean()) / load[:1000].std()
series = np.stack([load, temperature], axis=1).astype("float32")
windows = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
targets = series[WINDOW:, 0:1]
x_train, y_train = windows[:980], targets[:980]
x_test, y_test = windows[980:], targets[980:]


class Forecaster(nn.Module):
    def __init__(self, n_features=2, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden)
        self.head = nn.Linear(hidden, 1)
        self.reset_parameters(hidden)

    def reset_parameters(self, hidden):
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[hidden : 2 * hidden] = 1.0  # forget gate
        # one bias is enough: the second one stays at zero
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


model = Forecaster()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(params, lr=5e-3, eps=1e-12)
criterion = nn.HuberLoss(delta=1.0)
train_loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=49, shuffle=True
)

# ---- training
for epoch in range(1, 13):
    model.train()
    total = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_value_(params, 0.1)
        optimizer.step()
        total += loss.item() * xb.shape[0]
    print(f"epoch {epoch}: huber {total / len(x_train):.5f}")

model.eval()
with torch.no_grad():
    forecast = model(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    print("test huber %.5f" % criterion(forecast, target).item())
    print("test mae %.5f" % (forecast - target).abs().mean().item())
print("naive mae %.5f" % np.abs(x_test[:, -1, 0:1] - y_test).mean())
