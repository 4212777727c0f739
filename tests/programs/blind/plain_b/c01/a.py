"""Residual MLP with LayerNorm on the 8x8 digits (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 11
EPOCHS = 10
BATCH = 48
LR = 2e-3
WARMUP = 30

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.default_rng(2024).permutation(len(X))
X, y = X[perm], y[perm].astype("int64")
X_train, y_train = X[:1400], y[:1400]
X_test, y_test = X[1400:], y[1400:]

torch.manual_seed(SEED)


class Block(nn.Module):
    def __init__(self, width, hidden, p):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.act = nn.GELU()
        self.drop = nn.Dropout(p)
        self.down = nn.Linear(hidden, width)

    def forward(self, x):
        return x + self.down(self.drop(self.act(self.up(self.norm(x)))))


class ResMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(64, 48)
        self.blocks = nn.Sequential(*[Block(48, 96, 0.1) for _ in range(3)])
        self.norm = nn.LayerNorm(48)
        self.head = nn.Linear(48, 10)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x))))


model = ResMLP()
loader = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
    batch_size=BATCH,
    shuffle=True,
)
total = EPOCHS * len(loader)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=0.02)


def lr_factor(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return max(0.05, (total - step) / (total - WARMUP))


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_factor)

for epoch in range(EPOCHS):
    model.train()
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  loss {running / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    test_loss = nn.functional.cross_entropy(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test cross-entropy {test_loss:.4f}  accuracy {acc:.4f}")
