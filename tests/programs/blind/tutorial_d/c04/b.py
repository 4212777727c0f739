import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(55)

SIDE, LATENT, HIDDEN = 10, 3, 64


def bars(n, seed):
    rng = np.random.default_rng(seed)
    out = np.zeros((n, SIDE, SIDE), dtype="float32")
    for i in range(n):
        r, c = rng.integers(0, SIDE - 2, 2)
        out[i, r : r + 2, :] = 1.0
        out[i, :, c : c + 2] = 1.0
    flips = rng.random(out.shape) < 0.03
    return np.where(flips, 1.0 - out, out).reshape(n, SIDE * SIDE).astype("float32")


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class VAE(nn.Module):
    """Dense encoder and decoder, Gaussian code, Bernoulli pixels."""

    def __init__(self):
        super().__init__()
        self.enc = linear(SIDE * SIDE, HIDDEN)
        self.mean = linear(HIDDEN, LATENT)
        self.logvar = linear(HIDDEN, LATENT)
        self.dec = linear(LATENT, HIDDEN)
        self.out = linear(HIDDEN, SIDE * SIDE)

    def forward(self, x):
        h = torch.tanh(self.enc(x))
        mu, logvar = self.mean(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if self.training else mu
        return self.out(torch.tanh(self.dec(z))), mu, logvar


def negative_elbo(model, x):
    logits, mu, logvar = model(x)
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)
    return (rec + kl).mean()


train = torch.from_numpy(bars(1200, seed=1))
test = torch.from_numpy(bars(300, seed=2))
model = VAE()
opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.9, momentum=0.0, eps=1e-10, weight_decay=0.0)

for epoch in range(20):
    model.train()
    total = 0.0
    perm = torch.randperm(len(train))
    for start in range(0, len(train), 50):
        batch = train[perm[start : start + 50]]
        loss = negative_elbo(model, batch)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1}  negative elbo {total / len(train):.3f}")

model.eval()
with torch.no_grad():
    print(f"test bound at the posterior mean: {negative_elbo(model, test).item():.3f}")
