"""Digit autoencoder, accumulation over 4 mini-batches and the pixel loss by hand (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(15)

x = (load_digits().data / 16.0).astype("float32")
x = torch.from_numpy(x[np.random.default_rng(5).permutation(len(x))])
x_train, x_test = x[:1536], x[1536:]

model = nn.Sequential(
    nn.Linear(64, 32), nn.ELU(alpha=1.0),
    nn.Linear(32, 8),
    nn.Linear(8, 32), nn.ELU(alpha=1.0),
    nn.Linear(32, 64),
)
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, mean=0.0, std=0.25)
        nn.init.zeros_(layer.bias)


def pixel_loss(z, t):
    per_pixel = torch.clamp(z, min=0) - z * t + torch.log1p(torch.exp(-z.abs()))
    return per_pixel.mean()


optimizer = torch.optim.Adagrad(model.parameters(), lr=0.3, lr_decay=0.0, weight_decay=0.0,
                                initial_accumulator_value=0.1, eps=1e-10)
ACCUMULATE, BATCH = 4, 32

# ---- training
micro = 0
for epoch in range(12):
    order = torch.randperm(len(x_train))
    for start in range(0, len(x_train), BATCH):
        xb = x_train[order[start:start + BATCH]]
        (pixel_loss(model(xb), xb) / ACCUMULATE).backward()
        micro += 1
        if micro % ACCUMULATE == 0:
            optimizer.step()
            optimizer.zero_grad()

with torch.no_grad():
    print("train reconstruction %.4f" % pixel_loss(model(x_train), x_train).item())
    print("test reconstruction  %.4f" % pixel_loss(model(x_test), x_test).item())
