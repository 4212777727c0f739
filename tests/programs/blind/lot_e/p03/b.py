import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(91)

bunch = load_digits()
p = np.random.RandomState(2).permutation(len(bunch.target))
X = (bunch.data[p] / 16.0).astype("float32")
y = bunch.target[p]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 10))


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model.apply(init)
train = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                   batch_size=48, shuffle=True)
opt = torch.optim.Adagrad(model.parameters(), lr=0.01, eps=1e-7)
loss_fn = nn.CrossEntropyLoss()
curve = []
for epoch in range(12):
    s = 0.0
    for xb, yb in train:
        loss = loss_fn(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item() * len(xb)
    curve.append(round(s / len(X_train), 4))
print("loss per epoch", curve)
with torch.no_grad():
    print("test accuracy", float((model(torch.from_numpy(X_test)).argmax(1).numpy() == y_test).mean()))
