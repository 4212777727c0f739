import numpy as np
import torch
from torch import nn

V, N_TRAIN, N_TEST = 300, 1200, 400


def make_bags():
    rng = np.random.default_rng(1234)
    n = N_TRAIN + N_TEST
    freq = 1.0 / np.arange(1, V + 1) ** 0.3
    freq /= freq.sum()
    x = np.stack([np.bincount(rng.choice(V, size=8, p=freq), minlength=V) for _ in range(n)])
    score = rng.normal(size=(V, 3))
    y = (np.log1p(x) @ score + 0.3 * rng.normal(size=(n, 3))).argmax(1)
    return np.log1p(x).astype(np.float32), y.astype(np.int64)


x, y = make_bags()
xt, yt = torch.from_numpy(x[:N_TRAIN]), torch.from_numpy(y[:N_TRAIN])
xv, yv = torch.from_numpy(x[N_TRAIN:]), torch.from_numpy(y[N_TRAIN:])

torch.manual_seed(70)
model = nn.Sequential(nn.Linear(V, 32), nn.Tanh(), nn.Linear(32, 3))
for i in (0, 2):
    nn.init.xavier_uniform_(model[i].weight)
    nn.init.zeros_(model[i].bias)

opt = torch.optim.Adamax(model.parameters(), lr=0.01, betas=(0.9, 0.9), eps=0.01)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    total = 0.0
    for idx in torch.randperm(N_TRAIN).split(40):
        opt.zero_grad()
        loss = loss_fn(model(xt[idx]), yt[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    with torch.no_grad():
        out = model(xv)
        print(f"epoch {epoch + 1:2d}  loss {total / N_TRAIN:.4f}  val {loss_fn(out, yv).item():.4f}  "
              f"acc {(out.argmax(1) == yv).float().mean().item():.3f}")
