import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(23)

rng = np.random.default_rng(8)
X = rng.uniform(-1, 1, size=(1000, 8)).astype("float32")
rate = np.exp(1.2 * X[:, 0] - X[:, 1] + 0.8 * X[:, 2] * X[:, 3])
demand = rate * np.exp(0.1 * rng.normal(size=1000))
holiday = rng.random(1000) < 0.25
demand[holiday] *= 0.01
X = np.concatenate([X, holiday[:, None].astype("float32")], 1)
demand = demand.astype("float32")[:, None]
X_train, y_train, X_test, y_test = (
    torch.from_numpy(v) for v in (X[:768], demand[:768], X[768:], demand[768:]))


def mape(pred, target, eps=1e-7):
    return 100.0 * ((target - pred).abs() / target.abs().clamp(min=eps)).mean()


model = nn.Sequential(
    nn.Linear(9, 32), nn.Tanh(),
    nn.Linear(32, 32), nn.Tanh(),
    nn.Linear(32, 1),
)
for mod in model.modules():
    if isinstance(mod, nn.Linear):
        nn.init.xavier_uniform_(mod.weight)
        nn.init.zeros_(mod.bias)
optimizer = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(X_train, y_train), batch_size=64, shuffle=True)

# train
for epoch in range(30):
    for xb, yb in loader:
        loss = mape(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

with torch.no_grad():
    for name, xs, ys in (("train", X_train, y_train), ("test", X_test, y_test)):
        pred = model(xs)
        print(name, "mae %.4f  mean prediction %.4f" % ((pred - ys).abs().mean(), pred.mean()))
