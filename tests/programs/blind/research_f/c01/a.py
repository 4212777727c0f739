"""Variational autoencoder on the 8x8 digits (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
torch.set_num_threads(1)

LATENT, HIDDEN = 8, 96
BATCH, EPOCHS, WARMUP = 64, 15, 6

images = (load_digits().data / 16.0).astype("float32")
images = images[np.random.default_rng(2024).permutation(len(images))]
x_train, x_test = images[:1500], images[1500:]


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, HIDDEN)
        self.mu = nn.Linear(HIDDEN, LATENT)
        self.logvar = nn.Linear(HIDDEN, LATENT)
        self.dec = nn.Linear(LATENT, HIDDEN)
        self.out = nn.Linear(HIDDEN, 64)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def encode(self, x):
        h = F.relu(self.enc(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(F.relu(self.dec(z)))


def losses(model, x, sample=True):
    mu, logvar = model.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if sample else mu
    logits = model.decode(z)
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp()) / len(x)
    return rec, kl


model = VAE()
# eps small enough not to matter, wherever it is added
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train)), batch_size=BATCH, shuffle=True)
xt = torch.from_numpy(x_test)

# ---- training
for epoch in range(EPOCHS):
    beta = min(1.0, (epoch + 1) / WARMUP)
    total = 0.0
    for (xb,) in loader:
        rec, kl = losses(model, xb)
        loss = rec + beta * kl
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    with torch.no_grad():
        rec, kl = losses(model, xt, sample=False)
    print(f"epoch {epoch + 1:2d} beta {beta:.2f} train {total / len(x_train):.3f} "
          f"test rec {rec.item():.3f} kl {kl.item():.3f}")
