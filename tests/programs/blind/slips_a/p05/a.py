"""Friedman-like regression, MLP with Huber loss and Adagrad (PyTorch, its default initialisation)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def make_data():
    rng = np.random.default_rng(17)
    x = rng.uniform(0, 1, (1100, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.standard_normal(1100))
    x = (x - 0.5) * np.sqrt(12)
    y = (y - y[:800].mean()) / y[:800].std()
    x, y = x.astype(np.float32), y.astype(np.float32)[:, None]
    return x[:800], y[:800], x[800:], y[800:]


def make_model():
    return nn.Sequential(
        nn.Linear(8, 48), nn.ELU(),
        nn.Linear(48, 32), nn.ELU(),
        nn.Linear(32, 16), nn.ELU(),
        nn.Linear(16, 1),
    )


def make_optimizer(model):
    return torch.optim.Adagrad(model.parameters(), lr=0.05, eps=1e-10)


criterion = nn.HuberLoss(delta=1.0)


def train_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def main():
    torch.manual_seed(4)
    torch.set_num_threads(1)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
    model = make_model()
    optimizer = make_optimizer(model)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
    for epoch in range(25):
        model.train()
        total = 0.0
        for x, y in loader:
            total += train_step(model, optimizer, x, y).item() * len(x)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")
    model.eval()
    with torch.no_grad():
        p = model(x_test)
        print(f"test huber {criterion(p, y_test).item():.4f}  "
              f"test mse {torch.mean((p - y_test) ** 2).item():.4f}")


if __name__ == "__main__":
    main()
