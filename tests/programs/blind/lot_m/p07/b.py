import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X * 8.0).astype("float32")
perm = np.random.RandomState(9).permutation(len(y))
X, y = X[perm], y[perm].astype("int64")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

torch.manual_seed(2)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=4e-4)

rs = np.random.RandomState(2)
for epoch in range(20):
    order = rs.permutation(len(Xtr))
    correct = 0
    for i in range(0, len(order), 60):
        idx = order[i:i + 60]
        logits = model(torch.from_numpy(Xtr[idx]))
        loss = loss_fn(logits, torch.from_numpy(ytr[idx]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += int((logits.detach().numpy().argmax(1) == ytr[idx]).sum())
    print("epoch", epoch + 1, "train accuracy", correct / len(ytr))

with torch.no_grad():
    pred = model(torch.from_numpy(Xte)).numpy().argmax(1)
print("test accuracy", (pred == yte).mean())
