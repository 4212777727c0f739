"""Electricity-load style forecaster: a GRU reads 24 steps, predicts the next 3 (PyTorch)."""
import numpy as np
import torch
from torch import nn

WINDOW, HORIZON = 24, 3
BATCH = 48
EPOCHS = 10


def make_windows():
    rng = np.random.default_rng(31)
    t = np.arange(1300)
    ar = np.zeros(len(t))
    for i in range(1, len(t)):
        ar[i] = 0.8 * ar[i - 1] + 0.15 * rng.normal()
    load = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 7 + 1) + ar
    hour = np.cos(2 * np.pi * t / 24)
    series = np.stack([load, hour], axis=1)
    idx = np.arange(len(t) - WINDOW - HORIZON + 1)
    x = np.stack([series[i:i + WINDOW] for i in idx]).astype(np.float32)
    y = np.stack([load[i + WINDOW:i + WINDOW + HORIZON] for i in idx]).astype(np.float32)
    return (x[:1000], y[:1000]), (x[1030:], y[1030:])


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(input_size=2, hidden_size=hidden)
        self.head = nn.Linear(hidden, HORIZON)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1])


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.99), eps=1e-12)


def main():
    torch.manual_seed(123)
    (x_tr, y_tr), (x_te, y_te) = make_windows()
    x_tr, y_tr, x_te, y_te = (torch.tensor(a) for a in (x_tr, y_tr, x_te, y_te))
    model = Forecaster()
    optimizer = make_optimizer(model)
    loss_fn = nn.HuberLoss(delta=0.5)

    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for batch in torch.randperm(len(x_tr)).split(BATCH):
            loss = loss_fn(model(x_tr[batch]), y_tr[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.05)
            optimizer.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch:2d} train huber {total / len(x_tr):.5f}")

    model.eval()
    with torch.no_grad():
        pred = model(x_te)
    print(f"test huber {loss_fn(pred, y_te).item():.5f} mae {(pred - y_te).abs().mean().item():.5f}")


if __name__ == "__main__":
    main()
