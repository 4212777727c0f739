"""Small VAE on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(11)

images = (load_digits().data / 16.0).astype(np.float32)
order = np.random.RandomState(0).permutation(len(images))
x_train = torch.from_numpy(images[order[:1500]])
x_test = torch.from_numpy(images[order[1500:]])

LATENT, HIDDEN, BATCH, EPOCHS, WARMUP = 6, 96, 100, 24, 150


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
        h = torch.relu(self.enc(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(torch.relu(self.dec(z)))


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)


def elbo_terms(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / x.shape[0]
    return rec, kl


def train_step(x, beta):
    mu, logvar = vae.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape)
    rec, kl = elbo_terms(x, vae.decode(z), mu, logvar)
    loss = rec + beta * kl
    opt.zero_grad()
    loss.backward()
    opt.step()
    return rec.item(), kl.item()


# ---- training
step = 0
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x_train))
    recs, kls = [], []
    for i in range(0, len(x_train), BATCH):
        beta = min(1.0, (step + 1) / WARMUP)
        r, k = train_step(x_train[perm[i:i + BATCH]], beta)
        recs.append(r)
        kls.append(k)
        step += 1
    print(f"epoch {epoch + 1:2d}  rec {np.mean(recs):.3f}  kl {np.mean(kls):.3f}")

with torch.no_grad():
    mu, logvar = vae.encode(x_test)
    rec, kl = elbo_terms(x_test, vae.decode(mu), mu, logvar)
print(f"test rec (z = mu) {rec.item():.3f}  kl {kl.item():.3f}")
