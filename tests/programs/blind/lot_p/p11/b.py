import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer

torch.manual_seed(42)

X, y = load_breast_cancer(return_X_y=True)
p = np.random.default_rng(13).permutation(len(X))
X, y = X[p], y[p].astype("float32")[:, None]
m, s = X[:400].mean(0), X[:400].std(0)
X = ((X - m) / s).astype("float32")
X_train, y_train, X_test, y_test = map(torch.from_numpy, (X[:400], y[:400], X[400:], y[400:]))

model = nn.Sequential(
    nn.Linear(30, 24), nn.ReLU(),
    nn.Linear(24, 12), nn.ReLU(),
    nn.Linear(12, 1),
)
for mod in model:
    if isinstance(mod, nn.Linear):
        nn.init.xavier_uniform_(mod.weight)
        nn.init.zeros_(mod.bias)
bce = nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, dampening=0.9, nesterov=False)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(X_train, y_train), batch_size=32, shuffle=True)

# train
for epoch in range(12):
    for xb, yb in loader:
        loss = bce(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    for tag, xs, ys in [("train", X_train, y_train), ("test", X_test, y_test)]:
        z = model(xs)
        print(tag, "bce=%.4f" % bce(z, ys).item(), "acc=%.4f" % ((z > 0) == (ys > 0.5)).float().mean().item())
