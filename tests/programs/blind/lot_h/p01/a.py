import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

BATCH = 64
EPOCHS = 12
LR = 0.003
EPS = 0.01


def make_data():
    d = load_digits()
    x = (d.data / 16.0).astype("float32")
    y = d.target.astype("int64")
    order = np.random.RandomState(2).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1280], y[:1280], x[1280:], y[1280:]


def build_model():
    model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 10))
    for m in model:
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
    return model


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=EPS)


def main():
    torch.manual_seed(1)
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    model = build_model()
    optimizer = make_optimizer(model)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        perm = torch.randperm(len(xtr))
        total = 0.0
        for i in range(0, len(xtr), BATCH):
            idx = perm[i:i + BATCH]
            loss = criterion(model(xtr[idx]), ytr[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1} loss {total / len(xtr):.4f}")
    with torch.no_grad():
        logits = model(xte)
        print(f"test loss {criterion(logits, yte).item():.4f} acc {(logits.argmax(1) == yte).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
