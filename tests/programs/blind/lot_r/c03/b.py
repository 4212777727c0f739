import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

data = load_diabetes()
order = np.random.default_rng(2).permutation(len(data.target))
X = data.data[order].astype("float32")
y = data.target[order].astype("float32")
X = (X - X[:360].mean(axis=0)) / X[:360].std(axis=0)
y = (y - y[:360].mean()) / y[:360].std()
X_train, y_train, X_test, y_test = X[:360], y[:360], X[360:], y[360:]

BATCH = 40
ALPHA = 0.4
torch.manual_seed(5)

model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
weights, biases = [], []
for m in model:
    if isinstance(m, nn.Linear):
        bound = (6.0 / (m.in_features + m.out_features)) ** 0.5
        nn.init.uniform_(m.weight, -bound, bound)
        nn.init.uniform_(m.bias, -bound, bound)
        weights.append(m.weight)
        biases.append(m.bias)

opt = torch.optim.SGD(
    [{"params": weights, "weight_decay": ALPHA / BATCH}, {"params": biases, "weight_decay": 0.0}],
    lr=0.01, momentum=0.9, nesterov=True)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(40):
    for xb, yb in loader:
        opt.zero_grad()
        loss = 0.5 * ((model(xb).squeeze(1) - yb) ** 2).mean()
        loss.backward()
        opt.step()

print("epochs", epoch + 1)
model.eval()
with torch.no_grad():
    for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
        pred = model(torch.from_numpy(a)).squeeze(1).numpy()
        print(f"{name} mse {np.mean((pred - b) ** 2):.4f}")
