"""Variational autoencoder on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED = 3
EPOCHS, BATCH, LATENT, HIDDEN = 12, 64, 6, 80
WARMUP = 4                      # epochs until the KL term has its full weight

torch.manual_seed(SEED)

X = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(0).permutation(len(X))
x_train, x_test = X[order[:1500]], X[order[1500:]]


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
        h = torch.tanh(self.enc(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.out(torch.tanh(self.dec(z)))


def terms(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / len(x)
    return rec, kl


model = VAE()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)


def train_step(x, beta):
    mu, logvar = model.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    rec, kl = terms(x, model.decode(z), mu, logvar)
    loss = rec + beta * kl
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss


# ---- training
xt = torch.from_numpy(x_train)
for epoch in range(EPOCHS):
    beta = min(1.0, (epoch + 1) / WARMUP)
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        xb = xt[perm[i:i + BATCH]]
        total += train_step(xb, beta).item() * len(xb)
    print(f"epoch {epoch + 1:2d} beta {beta:.2f} loss {total / len(xt):.4f}")

with torch.no_grad():
    xv = torch.from_numpy(x_test)
    mu, logvar = model.encode(xv)
    rec, kl = terms(xv, model.decode(mu), mu, logvar)
print(f"test reconstruction {rec.item():.4f} kl {kl.item():.4f}")
