import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

BATCH, EPOCHS, L2 = 24, 60, 0.03


def assay(n, rng, coef):
    x = rng.normal(size=(n, 30))
    y = np.tanh(x @ coef[0]) + 0.5 * (x @ coef[1]) + 0.5 * rng.normal(size=n)
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


rng = np.random.default_rng(77)
coef = rng.normal(size=(2, 30)) * (rng.random((2, 30)) < 0.2)
x_train, y_train = assay(180, rng, coef)
x_test, y_test = assay(600, rng, coef)

torch.manual_seed(5)
model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)

loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

# training
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
mse = nn.MSELoss()
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        data_loss = mse(model(xb), yb)
        penalty = L2 * sum(m.weight.square().sum() for m in linears)
        optimizer.zero_grad()
        (data_loss + penalty).backward()
        optimizer.step()
        total += data_loss.item() * len(xb)
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} mse {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {mse(model(torch.from_numpy(x_test)), torch.from_numpy(y_test)).item():.4f}")
