import numpy as np
import torch
import torch.nn as nn

SEED = 23
BATCH = 32
EPOCHS = 10

rng = np.random.default_rng(2024)
X = rng.uniform(0, 1, (1260, 10))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 1, 1260))
X = ((X - 0.5) * np.sqrt(12)).astype("float32")
y = ((y - 14.4) / 5.0).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:960], y[:960], X[960:], y[960:]

torch.manual_seed(SEED)

model = nn.Sequential(
    nn.Linear(10, 64), nn.Tanh(),
    nn.Linear(64, 32), nn.Tanh(),
    nn.Linear(32, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.0, eps=1e-8, centered=False)
criterion = nn.MSELoss()
xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)

for epoch in range(EPOCHS):
    perm = torch.randperm(len(xt))
    total = 0.0
    for idx in perm.split(BATCH):
        optimizer.zero_grad()
        loss = criterion(model(xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: mse {total / len(xt):.4f}")

with torch.no_grad():
    test = criterion(model(torch.from_numpy(X_test)), torch.from_numpy(y_test)).item()
print(f"test mse {test:.4f}")
