"""Digits classifier: MLP with layer normalisation and label smoothing (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
EPOCHS = 12
BATCH = 64
LR = 0.05
MOMENTUM = 0.9
SMOOTHING = 0.1


def load():
    d = load_digits()
    x = (d.data / 16.0).astype(np.float32)
    y = d.target.astype(np.int64)
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def build():
    net = nn.Sequential(
        nn.Linear(64, 96), nn.LayerNorm(96, eps=1e-5), nn.GELU(),
        nn.Linear(96, 48), nn.LayerNorm(48, eps=1e-5), nn.GELU(),
        nn.Linear(48, 10),
    )
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return net


def main():
    torch.manual_seed(SEED)
    xtr, ytr, xte, yte = load()
    loader = DataLoader(TensorDataset(torch.from_numpy(xtr), torch.from_numpy(ytr)),
                        batch_size=BATCH, shuffle=True, drop_last=False)
    net = build()
    criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM)
    for epoch in range(EPOCHS):
        net.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1:2d} loss {total / len(xtr):.4f}")
    net.eval()
    with torch.no_grad():
        logits = net(torch.from_numpy(xte))
        test_loss = criterion(logits, torch.from_numpy(yte)).item()
        acc = (logits.argmax(1).numpy() == yte).mean()
    print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
