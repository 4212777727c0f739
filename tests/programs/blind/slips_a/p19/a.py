"""Heart beat classifier: 1-D convolutions (PyTorch notebook style)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_beats():
    """Heart-beat-like traces of four kinds with jitter, baseline wander and noise."""
    rng = np.random.default_rng(808)
    n, length = 1500, 64
    kind = rng.integers(0, 4, n)
    t = np.arange(length)
    centre = rng.uniform(24, 40, n)[:, None]
    width = rng.uniform(1.5, 2.5, n)[:, None] * np.where(kind == 1, 2.0, 1.0)[:, None]
    x = np.exp(-(((t - centre) / width) ** 2))
    x -= 0.5 * (kind == 2)[:, None] * np.exp(-(((t - centre - 6) / 2.0) ** 2))
    x += 0.4 * (kind == 3)[:, None] * np.exp(-(((t - centre + 12) / 3.0) ** 2))
    x += 0.2 * np.sin(2 * np.pi * t / length + rng.uniform(0, 2 * np.pi, n)[:, None])
    x += 0.2 * rng.normal(size=(n, length))
    x, kind = x.astype(np.float32)[:, None, :], kind.astype(np.int64)
    return x[:1200], kind[:1200], x[1200:], kind[1200:]


def make_model():
    return nn.Sequential(
        nn.Conv1d(1, 16, kernel_size=7, padding=3, bias=False),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(16, 32, kernel_size=5, padding=2, bias=False),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(32, 4),
        nn.Softmax(dim=1),
    )


def make_optimizer(model):
    return torch.optim.NAdam(model.parameters(), lr=4e-3)


def main():
    torch.manual_seed(9)
    x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_beats())
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
    model = make_model()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = make_optimizer(model)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)

    for epoch in range(12):
        model.train()
        running, seen = 0.0, 0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(y)
            seen += len(y)
        scheduler.step()
        print(f"epoch {epoch + 1:2d}: loss {running / seen:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        print(f"test loss {criterion(logits, y_test).item():.4f}")
        print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
