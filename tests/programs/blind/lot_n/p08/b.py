import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 5
BATCH = 40
EPOCHS = 12
DELTA = 0.2

rng = np.random.default_rng(88)
X = rng.normal(size=(1300, 8)).astype("float32")
y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.3 * np.abs(X[:, 3]) - 0.4 * X[:, 4]
y = y + 0.1 * rng.normal(size=1300)
outlier = rng.random(1300) < 0.06
y[outlier] += rng.normal(0, 6, outlier.sum())
y = y.astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

torch.manual_seed(SEED)

model = nn.Sequential(
    nn.Linear(8, 48), nn.ReLU(),
    nn.Linear(48, 24), nn.ReLU(),
    nn.Linear(24, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, nesterov=False)
criterion = nn.SmoothL1Loss(beta=DELTA)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

with torch.no_grad():
    pred = model(torch.from_numpy(X_test))
    test_loss = criterion(pred, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} median abs error {np.median(np.abs(pred.numpy() - y_test)):.4f}")
