import numpy as np
import torch
from torch import nn

BATCH, EPOCHS = 40, 20
LR, GAMMA, EVERY = 0.3, 0.8, 5


def rings(n=1000, seed=8):
    rng = np.random.default_rng(seed)
    c = rng.integers(0, 3, size=n)
    angle = rng.uniform(0, 2 * np.pi, size=n)
    r = 0.6 + 0.7 * c + 0.16 * rng.standard_normal(n)
    pts = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    extra = 0.5 * rng.standard_normal((n, 2))
    return np.concatenate([pts, extra], axis=1).astype(np.float32), c.astype(np.int64)


x, y = rings()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

torch.manual_seed(2)
model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
kernels, biases = [], []
for m in model.modules():
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
        kernels.append(m.weight)
        biases.append(m.bias)
optimizer = torch.optim.SGD([{"params": kernels, "weight_decay": 2e-4},
                             {"params": biases, "weight_decay": 0.0}], lr=LR, momentum=0.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=EVERY, gamma=GAMMA)
ce = nn.CrossEntropyLoss()

xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)
for epoch in range(EPOCHS):
    for idx in torch.randperm(len(xt)).split(BATCH):
        optimizer.zero_grad()
        ce(model(xt[idx]), yt[idx]).backward()
        optimizer.step()
        scheduler.step()

with torch.no_grad():
    for name, xs, ys in (("train", x_train, y_train), ("test", x_test, y_test)):
        z = model(torch.from_numpy(xs))
        loss = ce(z, torch.from_numpy(ys)).item()
        print(f"{name}: loss {loss:.4f} accuracy {np.mean(z.numpy().argmax(1) == ys):.4f}")
