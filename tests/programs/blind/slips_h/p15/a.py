import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(11)

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.RandomState(0).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

net = nn.Sequential(
    nn.Linear(64, 96),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(96, 48),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(48, 10),
)
loader = DataLoader(
    TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
    batch_size=64,
    shuffle=True,
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(10):
    net.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  loss {total / len(X_train):.4f}")

with torch.no_grad():
    logits = net(torch.from_numpy(X_test))
    test_loss = loss_fn(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
