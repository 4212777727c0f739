import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(9)
X = rng.uniform(-1, 1, (800, 6)).astype("float32")
y = (0.12 * np.sin(3 * X[:, 0]) + 0.1 * X[:, 1] * X[:, 2] - 0.08 * X[:, 3] ** 2
     + 0.05 * X[:, 4] + 0.005 * rng.normal(size=800)).astype("float32")
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

torch.manual_seed(12)
BATCH = 100
EPOCHS = 90

model = nn.Sequential(
    nn.Linear(6, 50), nn.ReLU(),
    nn.Linear(50, 25), nn.ReLU(),
    nn.Linear(25, 1),
)
for m in model:
    if isinstance(m, nn.Linear):
        bound = (6.0 / (m.in_features + m.out_features)) ** 0.5
        nn.init.uniform_(m.weight, -bound, bound)
        nn.init.uniform_(m.bias, -bound, bound)

optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)

for epoch in range(EPOCHS):
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        pred = model(xt[idx]).squeeze(1)
        loss = 0.5 * ((pred - yt[idx]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(xt):.6f}")

with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).squeeze(1).numpy()
print(f"test rmse {np.sqrt(np.mean((pred - y_test) ** 2)):.5f}")
