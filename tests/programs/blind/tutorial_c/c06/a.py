"""Variational autoencoder on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

LATENT, BATCH, EPOCHS, WARMUP = 6, 50, 16, 150


def make_data():
    x, _ = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    x = x[np.random.default_rng(4).permutation(len(x))]
    return x[:1500], x[1500:]


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, 48)
        self.mean = nn.Linear(48, LATENT)
        self.logvar = nn.Linear(48, LATENT)
        self.dec = nn.Linear(LATENT, 48)
        self.pixels = nn.Linear(48, 64)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def encode(self, x):
        h = F.elu(self.enc(x))
        return self.mean(h), self.logvar(h)

    def decode(self, z):
        return self.pixels(F.elu(self.dec(z)))


def terms(model, x, sample=True):
    mean, logvar = model.encode(x)
    z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean) if sample else mean
    rec = F.binary_cross_entropy_with_logits(model.decode(z), x, reduction="sum") / len(x)
    kl = -0.5 * (1 + logvar - mean.pow(2) - logvar.exp()).sum() / len(x)
    return rec, kl


torch.manual_seed(10)
train, test = map(torch.from_numpy, make_data())
model = VAE()
opt = torch.optim.Adamax(model.parameters(), lr=0.006, betas=(0.9, 0.999), eps=1e-12)

step = 0
for epoch in range(EPOCHS):
    rec_sum = kl_sum = 0.0
    for rows in torch.randperm(len(train)).split(BATCH):
        beta = min(1.0, step / WARMUP)
        rec, kl = terms(model, train[rows])
        loss = rec + beta * kl
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        rec_sum += rec.item() * len(rows)
        kl_sum += kl.item() * len(rows)
    print(f"epoch {epoch + 1:2d}: reconstruction {rec_sum / len(train):.3f} kl {kl_sum / len(train):.3f}")

with torch.no_grad():
    rec, kl = terms(model, test, sample=False)
print(f"test: reconstruction {rec:.3f} kl {kl:.3f}")
