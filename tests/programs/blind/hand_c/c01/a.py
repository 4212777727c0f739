"""Digits with a small dropout MLP, label-smoothed cross entropy (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
x_train, y_train = torch.from_numpy(X[:1400]), torch.from_numpy(y[:1400])
x_test, y_test = torch.from_numpy(X[1400:]), torch.from_numpy(y[1400:])

model = nn.Sequential(
    nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(96, 48), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(48, 10),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.Adam(model.parameters(), lr=1.5e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(xb, yb):
    optimizer.zero_grad()
    loss = criterion(model(xb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


if __name__ == "__main__":
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
    for epoch in range(12):
        model.train()
        total, seen = 0.0, 0
        for xb, yb in loader:
            total += train_step(xb, yb) * len(xb)
            seen += len(xb)
        print(f"epoch {epoch + 1:2d}  train loss {total / seen:.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        test_loss = criterion(logits, y_test).item()
        acc = (logits.argmax(1) == y_test).float().mean().item()
    print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
