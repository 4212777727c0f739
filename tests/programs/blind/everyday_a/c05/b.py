"""Load forecasting with an LSTM: PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WINDOW = 20
BATCH_SIZE = 40
EPOCHS = 10


def make_windows():
    """One-step-ahead windows over a noisy daily/weekly load curve."""
    rng = np.random.default_rng(555)
    t = np.arange(1520)
    load = (
        np.sin(2 * np.pi * t / 24)
        + 0.5 * np.sin(2 * np.pi * t / 168 + 0.7)
        + 0.25 * np.sin(2 * np.pi * t / 24) * np.cos(2 * np.pi * t / 12)
        + 0.08 * rng.normal(size=len(t))
    )
    load = ((load - load[:1200].mean()) / load[:1200].std()).astype(np.float32)
    x = np.stack([load[i : i + WINDOW] for i in range(len(load) - WINDOW)])[..., None]
    y = load[WINDOW:, None]
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        self.reset_parameters()

    def reset_parameters(self):
        hidden = self.lstm.hidden_size
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[hidden : 2 * hidden] = 1.0  # open forget gate
        # one bias per gate: the second vector stays at zero
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])


def make_optimizer(model):
    params = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.Adam(params, lr=4e-3, betas=(0.9, 0.999), eps=1e-12)


huber = nn.HuberLoss(delta=1.0)


def train_epoch(model, loader, optimizer):
    model.train()
    losses = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = huber(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


def main():
    torch.manual_seed(1)
    (x_train, y_train), (x_test, y_test) = make_windows()
    train_set = TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train))
    loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)

    model = Forecaster()
    optimizer = make_optimizer(model)
    for epoch in range(EPOCHS):
        print(f"epoch {epoch + 1:2d} train huber {train_epoch(model, loader, optimizer):.5f}")

    model.eval()
    with torch.no_grad():
        pred = model(torch.from_numpy(x_test))
        target = torch.from_numpy(y_test)
        print(f"test huber {huber(pred, target).item():.5f}")
        print(f"test rmse  {((pred - target) ** 2).mean().sqrt().item():.5f}")


if __name__ == "__main__":
    main()
