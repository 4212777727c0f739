"""One-step-ahead load forecast with an LSTM (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 24
N_TRAIN = 1000
BATCH = 50
EPOCHS = 18


def make_windows(seed=5):
    """Hourly load: daily and weekly rhythm, slow drift, correlated noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(1300)
    noise = np.zeros(len(t))
    for i in range(1, len(t)):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.08)
    load = (
        np.sin(2 * np.pi * t / 24)
        + 0.4 * np.sin(2 * np.pi * t / 12 + 1.0)
        + 0.5 * np.sin(2 * np.pi * t / 168)
        + 0.0003 * t
        + noise
    )
    load = (load - load[:N_TRAIN].mean()) / load[:N_TRAIN].std()
    hour = 2 * np.pi * (t % 24) / 24
    features = np.stack([load, np.sin(hour), np.cos(hour)], axis=1).astype(np.float32)
    x = np.stack([features[i:i + WINDOW] for i in range(len(t) - WINDOW)])
    y = load[WINDOW:].astype(np.float32)[:, None]
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class Forecaster(nn.Module):
    def __init__(self, n_features=3, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 16)
        self.out = nn.Linear(16, 1)
        self.reset_parameters()

    def reset_parameters(self):
        h = self.lstm.hidden_size
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[h:2 * h] = 1.0  # forget gate
        # one bias per gate is enough: the second stays at zero
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        for layer in (self.fc, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        _, (h_n, _) = self.lstm(x)
        return self.out(torch.tanh(self.fc(h_n[-1])))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(8)
    x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_windows())
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)

    model = Forecaster()
    loss_fn = nn.HuberLoss(delta=0.5)
    optimizer = torch.optim.RMSprop(
        [p for p in model.parameters() if p.requires_grad],
        lr=1e-3, alpha=0.9, momentum=0.0, eps=1e-12, weight_decay=0.0, centered=False,
    )

    history = []
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        history.append(total / len(x_train))
    print("huber by epoch:", " ".join(f"{v:.4f}" for v in history))

    model.eval()
    with torch.no_grad():
        pred = model(x_test)
        print(f"test huber {loss_fn(pred, y_test).item():.4f}  mae {(pred - y_test).abs().mean().item():.4f}")


if __name__ == "__main__":
    main()
