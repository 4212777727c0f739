"""Variational autoencoder on the 8x8 digits, PyTorch, own reparametrisation."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED = 3
LATENT = 8
BATCH = 100
EPOCHS = 20
BETA = 0.8

torch.manual_seed(SEED)

x = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(42).permutation(len(x))
x_train = torch.from_numpy(x[order[:1500]])
x_test = torch.from_numpy(x[order[1500:]])


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, 128)
        self.mu = nn.Linear(128, LATENT)
        self.logvar = nn.Linear(128, LATENT)
        self.dec = nn.Linear(LATENT, 128)
        self.out = nn.Linear(128, 64)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def encode(self, v):
        h = F.relu(self.enc(v))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(F.relu(self.dec(z)))

    def forward(self, v):
        mu, logvar = self.encode(v)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decode(z), mu, logvar


def elbo_terms(logits, v, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, v, reduction="none").sum(1).mean()
    kl = (-0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1)).mean()
    return rec, kl


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x_train), batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    vae.train()
    total = 0.0
    for (v,) in loader:
        opt.zero_grad()
        logits, mu, logvar = vae(v)
        rec, kl = elbo_terms(logits, v, mu, logvar)
        loss = rec + BETA * kl
        loss.backward()
        opt.step()
        total += loss.item() * len(v)
    print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")

vae.eval()
with torch.no_grad():
    mu, logvar = vae.encode(x_test)
    rec, kl = elbo_terms(vae.decode(mu), x_test, mu, logvar)
print(f"test reconstruction {rec.item():.4f}  kl {kl.item():.4f}")
