"""A small VAE on generated bar images: torch.distributions and torch.optim.Adam."""
import numpy as np
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

torch.manual_seed(1)

rng = np.random.RandomState(77)
images = np.zeros((1500, 8, 8), np.float32)
for img in images:
    for _ in range(rng.randint(1, 3)):
        if rng.rand() < 0.5:
            img[rng.randint(8), :] = 1.0
        else:
            img[:, rng.randint(8)] = 1.0
flip = rng.rand(*images.shape) < 0.02
images = np.where(flip, 1.0 - images, images).astype(np.float32).reshape(-1, 64)
x_train, x_test = torch.from_numpy(images[:1200]), torch.from_numpy(images[1200:])

LATENT = 6


def glorot(n_in, n_out):
    lin = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(lin.weight)
    nn.init.zeros_(lin.bias)
    return lin


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = glorot(64, 96)
        self.mu = glorot(96, LATENT)
        self.logvar = glorot(96, LATENT)
        self.dec1 = glorot(LATENT, 96)
        self.dec2 = glorot(96, 64)

    def encode(self, x):
        h = torch.relu(self.enc(x))
        return Normal(self.mu(h), torch.exp(0.5 * self.logvar(h)))

    def decode(self, z):
        return self.dec2(torch.relu(self.dec1(z)))


def negative_elbo(model, x, sample):
    q = model.encode(x)
    z = q.rsample() if sample else q.mean
    rec = nn.functional.binary_cross_entropy_with_logits(model.decode(z), x, reduction="none").sum(1)
    kl = kl_divergence(q, Normal(torch.zeros_like(z), torch.ones_like(z))).sum(1)
    return (rec + kl).mean()


vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-8)
loader = torch.utils.data.DataLoader(x_train, batch_size=60, shuffle=True)

# training
for epoch in range(25):
    total = 0.0
    for xb in loader:
        optimizer.zero_grad()
        loss = negative_elbo(vae, xb, sample=True)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} -elbo {total / len(x_train):.3f}")

with torch.no_grad():
    print(f"test -elbo at the mean {negative_elbo(vae, x_test, sample=False).item():.3f}")
