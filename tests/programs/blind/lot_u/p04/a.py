import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(1)
Z, BATCH, EPOCHS = 4, 32, 12

X = (load_digits().data / 16.0).astype("float32")
X = X[np.random.default_rng(0).permutation(len(X))]
train, test = torch.from_numpy(X[:1280]), torch.from_numpy(X[1280:])


def dense(i, o):
    m = nn.Linear(i, o)
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
    return m


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = dense(64, 48), dense(48, 2 * Z)
        self.d1, self.d2 = dense(Z, 48), dense(48, 64)

    def forward(self, x):
        mu, logvar = self.e2(torch.tanh(self.e1(x))).chunk(2, dim=-1)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.d2(torch.tanh(self.d1(z))), mu, logvar


def elbo_loss(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(-1)
    return (rec + kl).mean()


vae = VAE()
opt = torch.optim.SGD(vae.parameters(), lr=2e-4, momentum=0.9)
for epoch in range(EPOCHS):
    tot = 0.0
    for idx in torch.randperm(len(train)).split(BATCH):
        x = train[idx]
        logits, mu, logvar = vae(x)
        loss = elbo_loss(logits, x, mu, logvar)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(idx)
    with torch.no_grad():
        l, m, v = vae(test)
        print(f"epoch {epoch:2d}: train {tot / len(train):.3f}, test {elbo_loss(l, test, m, v).item():.3f}")
