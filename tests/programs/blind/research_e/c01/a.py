"""Variational autoencoder on the 8x8 digits (PyTorch)."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH, LATENT, WARMUP = 20, 64, 6, 150

torch.manual_seed(11)

x = (load_digits().data / 16.0).astype(np.float32)
order = np.random.default_rng(0).permutation(len(x))
x_train, x_test = x[order[:1500]], x[order[1500:]]


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = dense(64, 64)
        self.mu = dense(64, LATENT)
        self.logvar = dense(64, LATENT)
        self.dec = dense(LATENT, 64)
        self.out = dense(64, 64)

    def encode(self, x):
        h = torch.tanh(self.enc(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(torch.tanh(self.dec(z)))


def parts(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = 0.5 * (logvar.exp() + mu**2 - 1.0 - logvar).sum(1)
    return rec, kl


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train)), batch_size=BATCH, shuffle=True)

step = 0
for epoch in range(EPOCHS):
    total = 0.0
    for (xb,) in loader:
        beta = min(1.0, step / WARMUP)
        mu, logvar = vae.encode(xb)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        rec, kl = parts(xb, vae.decode(z), mu, logvar)
        per_sample = rec + beta * kl
        loss = per_sample.mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += per_sample.sum().item()
        step += 1
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {total / len(x_train):.3f}")

vae.eval()
with torch.no_grad():
    xt = torch.from_numpy(x_test)
    mu, logvar = vae.encode(xt)
    rec, kl = parts(xt, vae.decode(mu), mu, logvar)
print(f"test: reconstruction {rec.mean():.3f}  kl {kl.mean():.3f}")
