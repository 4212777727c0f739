import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.RandomState(0).permutation(len(y))
X, y = X[perm], y[perm].astype("int64")
Xtr, ytr, Xte, yte = X[:1400], y[:1400], X[1400:], y[1400:]

torch.manual_seed(7)
model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
for p in model.parameters():
    if p.ndim == 2:
        nn.init.xavier_uniform_(p)
    else:
        nn.init.zeros_(p)

loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr)), batch_size=70, shuffle=True)
criterion = nn.CrossEntropyLoss(label_smoothing=0.2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(20):
    total, hits = 0.0, 0
    for xb, yb in loader:
        optimizer.zero_grad()
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(yb)
        hits += (out.argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1} loss {total / len(ytr):.4f} acc {hits / len(ytr):.4f}")

with torch.no_grad():
    logits = model(torch.from_numpy(Xte))
    p = logits.softmax(1)
print("test accuracy", float((logits.argmax(1).numpy() == yte).mean()))
print("mean confidence", p.max(1).values.mean().item())
