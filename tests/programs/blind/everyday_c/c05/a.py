"""Six-hour-ahead electricity demand with an LSTM (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW, HORIZON = 24, 6
HIDDEN = 32
BATCH_SIZE = 64
EPOCHS = 10
CLIP = 0.5


def demand_series(n=2200, seed=8):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    daily = 1.0 * np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 0.7)
    weekly = 0.5 * np.cos(2 * np.pi * t / 168)
    ar = np.zeros(n)
    for i in range(1, n):
        ar[i] = 0.9 * ar[i - 1] + rng.normal(0, 0.12)
    return (daily * (1 + 0.3 * weekly) + weekly + ar).astype(np.float32)


def windows(series):
    n = len(series) - WINDOW - HORIZON + 1
    hour = (np.arange(len(series)) % 24).astype(np.float32)
    feats = np.stack(
        [series, np.sin(2 * np.pi * hour / 24), np.cos(2 * np.pi * hour / 24)], axis=1
    ).astype(np.float32)
    x = np.stack([feats[i : i + WINDOW] for i in range(n)])
    y = np.stack([series[i + WINDOW : i + WINDOW + HORIZON] for i in range(n)])
    return x, y


class DemandLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=3, hidden_size=HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, HORIZON)
        self._init()

    def _init(self):
        lstm = self.lstm
        nn.init.xavier_uniform_(lstm.weight_ih_l0)
        nn.init.orthogonal_(lstm.weight_hh_l0)
        nn.init.zeros_(lstm.bias_ih_l0)
        nn.init.zeros_(lstm.bias_hh_l0)
        with torch.no_grad():
            lstm.bias_ih_l0[HIDDEN : 2 * HIDDEN] = 1.0  # forget gate
        lstm.bias_hh_l0.requires_grad_(False)  # one bias per gate is enough
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


def clip_by_global_norm(params, max_norm):
    grads = [p.grad for p in params]
    norm = torch.sqrt(sum(g.square().sum() for g in grads))
    if norm > max_norm:
        for g in grads:
            g.mul_(max_norm / norm)


def train_epoch(model, loader, criterion, optimizer, params):
    model.train()
    total, n = 0.0, 0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        clip_by_global_norm(params, CLIP)
        optimizer.step()
        total += loss.item() * len(xb)
        n += len(xb)
    return total / n


@torch.no_grad()
def evaluate(model, loader, criterion):
    model.eval()
    total, n = 0.0, 0
    for xb, yb in loader:
        total += criterion(model(xb), yb).item() * len(xb)
        n += len(xb)
    return total / n


def main():
    torch.manual_seed(0)
    x, y = windows(demand_series())
    x_train, y_train, x_val, y_val = (torch.from_numpy(a) for a in (x[:1700], y[:1700], x[1730:], y[1730:]))
    train_loader = DataLoader(TensorDataset(x_train, y_train), BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(TensorDataset(x_val, y_val), BATCH_SIZE)

    model = DemandLSTM()
    criterion = nn.HuberLoss(delta=1.0)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(params, lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

    for epoch in range(1, EPOCHS + 1):
        loss = train_epoch(model, train_loader, criterion, optimizer, params)
        val = evaluate(model, val_loader, criterion)
        print(f"epoch {epoch:02d}  loss {loss:.5f}  val {val:.5f}")

    with torch.no_grad():
        mae = (model(x_val) - y_val).abs().mean().item()
    print(f"validation MAE {mae:.4f}")


if __name__ == "__main__":
    main()
