import math

import numpy as np
import torch
from torch import nn

STEPS, FEATS, UNITS, BATCH, EPOCHS = 20, 2, 24, 32, 12


def oscillators(n, rng):
    f = rng.uniform(0.1, 0.9, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    t = np.arange(STEPS)
    a = np.sin(f * t + phase) + 0.2 * rng.normal(size=(n, STEPS))
    b = np.cos(f * t + phase) + 0.2 * rng.normal(size=(n, STEPS))
    x = np.stack([a, b], axis=-1)
    y = np.digitize(f[:, 0], [0.37, 0.63])
    return x.astype(np.float32), y.astype(np.int64)


rng = np.random.default_rng(15)
x_train, y_train = oscillators(896, rng)
x_val, y_val = oscillators(320, rng)
x_train, y_train = torch.from_numpy(x_train), torch.from_numpy(y_train)
x_val, y_val = torch.from_numpy(x_val), torch.from_numpy(y_val)

torch.manual_seed(23)
gru = nn.GRU(FEATS, UNITS, batch_first=True)
fc = nn.Linear(UNITS, 3)
nn.init.xavier_uniform_(gru.weight_ih_l0)
nn.init.orthogonal_(gru.weight_hh_l0)
nn.init.zeros_(gru.bias_ih_l0)
nn.init.zeros_(gru.bias_hh_l0)
nn.init.xavier_uniform_(fc.weight)
nn.init.zeros_(fc.bias)
params = [*gru.parameters(), *fc.parameters()]

total_steps = EPOCHS * math.ceil(len(x_train) / BATCH)
opt = torch.optim.Adam(params, lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=total_steps, eta_min=0.0)
loss_fn = nn.CrossEntropyLoss()


def forward(x):
    _, h = gru(x)
    return fc(h[-1])


for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(BATCH):
        opt.zero_grad()
        loss = loss_fn(forward(x_train[idx]), y_train[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(params, max_norm=0.5)
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    with torch.no_grad():
        out = forward(x_val)
        vl = loss_fn(out, y_val).item()
        va = (out.argmax(1) == y_val).float().mean().item()
    print(f"epoch {epoch + 1:2d}: loss {total / len(x_train):.4f}  val_loss {vl:.4f}  val_acc {va:.4f}")
