"""Unbalanced clusters, PyTorch modules: BatchNorm1d, weighted CrossEntropyLoss, Adagrad."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CLASS_WEIGHTS = [0.5, 1.0, 2.0, 4.0]


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(4, size=n, p=[0.55, 0.25, 0.13, 0.07])
    angle = rng.uniform(0, 2 * np.pi, size=n)
    radius = 1.0 + 0.8 * y + 0.25 * rng.normal(size=n)
    x = np.concatenate([
        (radius * np.cos(angle))[:, None], (radius * np.sin(angle))[:, None],
        rng.normal(size=(n, 4))], axis=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.int64)


def build():
    net = nn.Sequential(
        nn.Linear(6, 40, bias=False), nn.BatchNorm1d(40, eps=1e-5, momentum=0.1), nn.ReLU(),
        nn.Linear(40, 24, bias=False), nn.BatchNorm1d(24, eps=1e-5, momentum=0.1), nn.ReLU(),
        nn.Linear(24, 4))
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_normal_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    return net


def main():
    torch.manual_seed(21)
    x, y = make_data(1300, 1)
    xt, yt = make_data(700, 2)
    net = build()
    print("weights:", sum(p.numel() for p in net.parameters()))
    criterion = nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHTS))
    optimizer = torch.optim.Adagrad(net.parameters(), lr=0.05, lr_decay=0.0, weight_decay=0.0,
                                    initial_accumulator_value=0.1, eps=1e-10)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True, drop_last=False)
    for epoch in range(18):
        net.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")
    net.eval()
    with torch.no_grad():
        out = net(xt)
        print(f"test loss {criterion(out, yt).item():.4f}  accuracy {(out.argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
