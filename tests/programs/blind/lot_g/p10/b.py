"""Autoencoder for sensor readings (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(66)

rng = np.random.default_rng(60)
latent = rng.standard_normal((1280, 4))
mixing = rng.standard_normal((4, 20)) / 2.0
readings = np.tanh(latent @ mixing) + 0.05 * rng.standard_normal((1280, 20))
readings = readings.astype(np.float32)
train, test = torch.from_numpy(readings[:1024]), torch.from_numpy(readings[1024:])

SIZES = [20, 32, 4, 32, 20]
LR, MOMENTUM, BATCH, EPOCHS = 0.5, 0.9, 64, 20


class AutoEncoder(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, h):
        for layer in self.layers[:-1]:
            h = torch.tanh(layer(h))
        return self.layers[-1](h)


net = AutoEncoder(SIZES)
opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, dampening=MOMENTUM)
loader = DataLoader(train, batch_size=BATCH, shuffle=True)
for epoch in range(1, EPOCHS + 1):
    losses = []
    for batch in loader:
        loss = ((net(batch) - batch) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch:2d} | reconstruction {np.mean(losses):.5f}")
with torch.no_grad():
    print(f"test reconstruction {((net(test) - test) ** 2).mean().item():.5f}")
