"""Denoising autoencoder for smooth signals, fresh noise every epoch (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(13)
torch.set_num_threads(1)

DIM, CODE, NOISE = 32, 10, 0.4
BATCH, EPOCHS, LR, ALPHA = 32, 20, 0.01, 0.032


def signals(n, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, DIM)
    amp = rng.normal(size=(n, 3)) * np.array([1.0, 0.6, 0.4])
    basis = np.stack([np.sin(2 * np.pi * t), np.cos(2 * np.pi * t), np.sin(4 * np.pi * t)])
    return np.tanh(amp @ basis).astype("float32")


clean, held_out = signals(640, 6), signals(200, 7)
noisy_test = (held_out + NOISE * np.random.default_rng(8).normal(size=held_out.shape)).astype("float32")


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    bound = math.sqrt(6.0 / (n_in + n_out))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


net = nn.Sequential(dense(DIM, 24), nn.Tanh(), dense(24, CODE), nn.Tanh(),
                    dense(CODE, 24), nn.Tanh(), dense(24, DIM))


def loss_fn(noisy, x):
    return 0.5 * (net(noisy) - x).pow(2).sum(dim=1).mean()


# kernels only are penalised: (ALPHA / 2) * sum(w^2) / batch
opt = torch.optim.SGD([
    {"params": [p for p in net.parameters() if p.ndim == 2], "weight_decay": ALPHA / BATCH},
    {"params": [p for p in net.parameters() if p.ndim == 1], "weight_decay": 0.0},
], lr=LR, momentum=0.9, nesterov=True)

# ---- training
data, xt, yt = torch.from_numpy(clean), torch.from_numpy(noisy_test), torch.from_numpy(held_out)
for epoch in range(EPOCHS):
    for idx in torch.randperm(len(data)).split(BATCH):
        x = data[idx]
        loss = loss_fn(x + NOISE * torch.randn_like(x), x)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        mse = (net(xt) - yt).pow(2).mean().item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} held-out mse {mse:.5f} (raw noise {(xt - yt).pow(2).mean().item():.5f})")
