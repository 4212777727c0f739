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

torch.manual_seed(6)
model = nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10))
for m in (model[0], model[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)

dl = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(ytr)), batch_size=64, shuffle=True)
for epoch in range(15):
    loss_sum = 0.0
    for xb, yb in dl:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * xb.shape[0]
    print("epoch", epoch + 1, "loss", loss_sum / len(Xtr))

with torch.no_grad():
    logits = model(torch.from_numpy(Xte))
    print("test loss", loss_fn(logits, torch.from_numpy(yte)).item())
    print("test acc", float((logits.argmax(1).numpy() == yte).mean()))
