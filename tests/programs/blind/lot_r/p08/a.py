import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(61)
X = rng.uniform(-1, 1, size=(800, 6)).astype("float32")
A = rng.standard_normal((6, 8))
Y = np.stack([np.sin(2.0 * (X @ A[:, k])) if k % 2 else (X @ A[:, k]) ** 2 - 1.0 for k in range(8)], axis=1)
Y = ((Y - Y[:600].mean(axis=0)) / Y[:600].std(axis=0)).astype("float32")
X_train, Y_train, X_test, Y_test = X[:600], Y[:600], X[600:], Y[600:]

torch.manual_seed(9)
model = nn.Sequential(nn.Linear(6, 50), nn.Tanh(), nn.Linear(50, 8))
for m in model:
    if isinstance(m, nn.Linear):
        limit = (6.0 / (m.in_features + m.out_features)) ** 0.5
        nn.init.uniform_(m.weight, -limit, limit)
        nn.init.uniform_(m.bias, -limit, limit)

optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
mse = nn.MSELoss()
xt, yt = torch.from_numpy(X_train), torch.from_numpy(Y_train)
for epoch in range(40):
    running = 0.0
    for idx in torch.randperm(600).split(50):
        optimizer.zero_grad()
        loss = 0.5 * mse(model(xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1} loss {running / 600:.4f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
print(f"test mse {np.mean((pred - Y_test) ** 2):.4f}")
