import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(29)
W = rng.standard_normal((20, 5))
X = rng.standard_normal((1500, 20)).astype("float32")
score = np.tanh(X @ W) + 0.3 * X[:, :5] * X[:, 5:10]
y = np.argmax(score + 0.3 * rng.standard_normal(score.shape), axis=1).astype("int64")
X, y = torch.from_numpy(X), torch.from_numpy(y)
X_val, y_val = X[700:1000], y[700:1000]
X_test, y_test = X[1000:], y[1000:]

torch.manual_seed(71)
model = nn.Sequential(
    nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(64, 5),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=0.003, eps=1e-12)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(X[:700], y[:700]), batch_size=50, shuffle=True)


@torch.no_grad()
def evaluate(features, labels):
    out = model(features)
    return criterion(out, labels).item(), (out.argmax(1) == labels).float().mean().item()


best, best_state, wait = float("inf"), None, 0
for epoch in range(40):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        optimizer.step()
    val_loss, _ = evaluate(X_val, y_val)
    print(f"epoch {epoch + 1:2d} val loss {val_loss:.4f}")
    if val_loss < best:
        best, wait = val_loss, 0
        best_state = copy.deepcopy(model.state_dict())
    else:
        wait += 1
        if wait >= 5:
            break

model.load_state_dict(best_state)
loss, acc = evaluate(X_test, y_test)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
