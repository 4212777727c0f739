import numpy as np
import torch
import torch.nn as nn


def make_counts(seed=31, n=1600):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    log_rate = 0.9 + 0.5 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2] + 0.3 * np.sin(2 * x[:, 3])
    y = rng.poisson(np.exp(np.clip(log_rate, -3, 3))).astype(np.float32)
    return x, y.reshape(-1, 1)


x, y = make_counts()
n_train = 1280
xt, yt = torch.tensor(x[:n_train]), torch.tensor(y[:n_train])
xv, yv = torch.tensor(x[n_train:]), torch.tensor(y[n_train:])

torch.manual_seed(8)
model = nn.Sequential(
    nn.Linear(6, 40), nn.Tanh(),
    nn.Linear(40, 20), nn.Tanh(),
    nn.Linear(20, 1), nn.Softplus(),
)


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


model.apply(init)

criterion = nn.PoissonNLLLoss(full=False, eps=1e-7, reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

gen = torch.Generator().manual_seed(8)
for epoch in range(20):
    running, seen = 0.0, 0
    for idx in torch.randperm(n_train, generator=gen).split(64):
        optimizer.zero_grad()
        rate = model(xt[idx])
        loss = criterion(rate, yt[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
        seen += len(idx)
    with torch.no_grad():
        rate = model(xv)
        mae = (rate - yv).abs().mean().item()
        val = criterion(rate, yv).item()
    print(f"epoch {epoch:02d} loss={running / seen:.4f} val_loss={val:.4f} val_mae={mae:.4f} "
          f"mean_rate={rate.mean().item():.3f} mean_count={yv.mean().item():.3f}")
