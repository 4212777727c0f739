"""Rising or falling chirp? LSTM in PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

HIDDEN = 24
LENGTH = 28
BATCH = 40
EPOCHS = 8


def make_chirps(n=1500, seed=123):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    t = np.linspace(0.0, 1.0, LENGTH)
    low, high = rng.uniform(1.0, 2.0, n), rng.uniform(4.0, 6.0, n)
    f0 = np.where(label == 1, low, high)[:, None]
    f1 = np.where(label == 1, high, low)[:, None]
    phase = 2 * np.pi * (f0 * t + 0.5 * (f1 - f0) * t ** 2) + rng.uniform(0, 2 * np.pi, n)[:, None]
    noise = 0.4 * rng.standard_normal((2, n, LENGTH))
    x = np.stack([np.sin(phase) + noise[0], np.cos(phase) + noise[1]], axis=-1)
    return x.astype("float32"), label.astype("float32")[:, None]


class ChirpNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)  # one trainable bias only
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        seq, _ = self.lstm(x)
        return self.out(seq[:, -1])


def main():
    torch.manual_seed(42)
    x, y = make_chirps()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    x_train, y_train, x_test, y_test = x[:1150], y[:1150], x[1150:], y[1150:]
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True, drop_last=False)

    model = ChirpNet()
    criterion = nn.BCEWithLogitsLoss()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=5e-3, betas=(0.9, 0.999), eps=1e-12)

    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1}: {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        print(f"test bce {criterion(logits, y_test).item():.4f}")
        print(f"test accuracy {((logits > 0).float() == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
