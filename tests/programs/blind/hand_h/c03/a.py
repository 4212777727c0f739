"""Digits with a layer-normalised MLP, label smoothing and linear warm-up (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS, LR, WARMUP, SMOOTH = 48, 15, 0.1, 90, 0.1

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype(np.float32)
Y = digits.target[order].astype(np.int64)
x_train, y_train, x_test, y_test = X[:1400], Y[:1400], X[1400:], Y[1400:]

torch.manual_seed(5)
model = nn.Sequential(
    nn.Linear(64, 96),
    nn.LayerNorm(96, eps=1e-5),
    nn.SiLU(),
    nn.Linear(96, 48),
    nn.LayerNorm(48, eps=1e-5),
    nn.SiLU(),
    nn.Linear(48, 10),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTH)
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.0, weight_decay=0.0)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / WARMUP))
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=BATCH, shuffle=True
)


def train_step(xb, yb):
    optimizer.zero_grad()
    loss = criterion(model(xb), yb)
    loss.backward()
    optimizer.step()
    scheduler.step()
    return loss.item()


# training
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        total += train_step(xb, yb) * len(xb)
    print(f"epoch {epoch + 1} train loss {total / len(x_train):.4f} lr {scheduler.get_last_lr()[0]:.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test))
    print("test loss", criterion(logits, torch.from_numpy(y_test)).item())
    print("test accuracy", (logits.argmax(1).numpy() == y_test).mean())
