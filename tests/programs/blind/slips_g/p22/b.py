import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)

rng = np.random.RandomState(3)
X = rng.rand(1200, 8).astype("float32") * 2 - 1
y = (np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.7 * X[:, 3] ** 2 - X[:, 4]
     + 0.1 * rng.randn(1200))
y[rng.rand(1200) < 0.05] += 4.0
y = y.astype("float32")[:, None]
X_train, y_train = X[:960], y[:960]
X_test, y_test = X[960:], y[960:]

model = nn.Sequential(
    nn.Linear(8, 48), nn.ELU(),
    nn.Linear(48, 24), nn.ELU(),
    nn.Linear(24, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=40, shuffle=True)
opt = torch.optim.Adagrad(model.parameters(), lr=0.05, initial_accumulator_value=0.1, eps=1e-12)
loss_fn = nn.SmoothL1Loss(beta=0.5)

for epoch in range(15):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} loss {total / len(X_train):.5f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
print("test MAE", float(np.mean(np.abs(pred - y_test))))
