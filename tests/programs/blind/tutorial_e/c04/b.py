"""Variational autoencoder on 8x8 digits in PyTorch."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader

LATENT = 4
BATCH = 100
EPOCHS = 18


def load():
    x = (load_digits().data / 16.0).astype("float32")
    x = x[np.random.default_rng(0).permutation(len(x))]
    return x[:1500], x[1500:]


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = dense(64, 48)
        self.mu = dense(48, LATENT)
        self.logvar = dense(48, LATENT)
        self.dec = dense(LATENT, 48)
        self.pixels = dense(48, 64)

    def encode(self, x):
        h = F.relu(self.enc(x))
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.pixels(F.relu(self.dec(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.decode(z), mu, logvar


def negative_elbo(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (rec + kl) / len(x)


def main():
    torch.manual_seed(8)
    xtr, xte = (torch.from_numpy(a) for a in load())
    vae = VAE()
    opt = torch.optim.Adam(vae.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)
    loader = DataLoader(xtr, batch_size=BATCH, shuffle=True)
    for epoch in range(EPOCHS):
        total = 0.0
        for xb in loader:
            logits, mu, logvar = vae(xb)
            loss = negative_elbo(xb, logits, mu, logvar)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1:2d}  -ELBO {total / len(xtr):.3f}")
    with torch.no_grad():
        logits, mu, logvar = vae(xte)
        print(f"test -ELBO {negative_elbo(xte, logits, mu, logvar).item():.3f}")
        mean_logits = vae.decode(mu)
        print(f"reconstruction MSE {F.mse_loss(torch.sigmoid(mean_logits), xte).item():.4f}")


if __name__ == "__main__":
    main()
