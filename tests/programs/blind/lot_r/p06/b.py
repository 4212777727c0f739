import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(19)
X = rng.standard_normal((900, 12)).astype("float32")
signal = np.sin(1.5 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3]) + 0.3 * X[:, 4]
y = (signal + 0.3 * rng.standard_normal(900)).astype("float32")[:, None]
y = (y - y[:600].mean()) / y[:600].std()
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

WEIGHT_DECAY = 0.02

torch.manual_seed(34)
model = nn.Sequential(
    nn.Linear(12, 64), nn.Tanh(),
    nn.Linear(64, 32), nn.Tanh(),
    nn.Linear(32, 1),
)
kernels, biases = [], []
for name, p in model.named_parameters():
    if name.endswith("weight"):
        nn.init.xavier_uniform_(p)
        kernels.append(p)
    else:
        nn.init.zeros_(p)
        biases.append(p)
optimizer = torch.optim.SGD(
    [{"params": kernels, "weight_decay": WEIGHT_DECAY},
     {"params": biases, "weight_decay": 0.0}],
    lr=0.01, momentum=0.9)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=30, shuffle=True)
criterion = nn.MSELoss()

for epoch in range(25):
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
        print(f"{name} mse {np.mean((model(torch.from_numpy(a)).numpy() - b) ** 2):.4f}")
