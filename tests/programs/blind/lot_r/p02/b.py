import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(77)
centers = rng.normal(0, 1.0, size=(12, 15))
comp = rng.integers(0, 12, size=1800)
X = (centers[comp] + 0.7 * rng.standard_normal((1800, 15))).astype("float32")
y = (comp % 4).astype("int64")
X_train, y_train, X_test, y_test = map(torch.from_numpy, (X[:1200], y[:1200], X[1200:], y[1200:]))

torch.manual_seed(90)
model = nn.Sequential(nn.Linear(15, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), momentum=0.9, nesterov=True)

losses = []
for epoch in range(12):
    total = 0.0
    for batch in torch.randperm(len(X_train)).split(40):
        loss = F.cross_entropy(model(X_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    losses.append(total / len(X_train))
print("loss per epoch:", " ".join(f"{v:.3f}" for v in losses))
with torch.no_grad():
    out = model(X_test)
    acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"test loss {F.cross_entropy(out, y_test).item():.4f}, accuracy {acc:.4f}")
