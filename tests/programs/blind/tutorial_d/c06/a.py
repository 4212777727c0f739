"""Film ratings: matrix factorisation with biases, torch.nn style."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)

USERS, FILMS, RANK = 80, 50, 5


def ratings(seed=13):
    rng = np.random.default_rng(seed)
    p, q = rng.normal(0, 0.7, (USERS, 3)), rng.normal(0, 0.7, (FILMS, 3))
    bu, bf = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, FILMS)
    cells = rng.permutation(USERS * FILMS)[:3000]
    u, f = cells // FILMS, cells % FILMS
    r = 3.2 + bu[u] + bf[f] + (p[u] * q[f]).sum(1) + rng.normal(0, 0.3, len(u))
    return u, f, np.clip(r, 0.5, 5.0).astype("float32")


u, f, r = ratings()
split = 2400
mean = float(r[:split].mean())


class Factorisation(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(USERS, RANK)
        self.film = nn.Embedding(FILMS, RANK)
        self.user_bias = nn.Embedding(USERS, 1)
        self.film_bias = nn.Embedding(FILMS, 1)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.film.weight, std=0.1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.film_bias.weight)

    def forward(self, users, films):
        p, q = self.user(users), self.film(films)
        b, c = self.user_bias(users).squeeze(1), self.film_bias(films).squeeze(1)
        rating = mean + b + c + (p * q).sum(dim=1)
        penalty = (p**2).sum(1) + (q**2).sum(1) + b**2 + c**2
        return rating, penalty


def tensors(lo, hi):
    return torch.as_tensor(u[lo:hi]), torch.as_tensor(f[lo:hi]), torch.as_tensor(r[lo:hi])


train = DataLoader(TensorDataset(*tensors(0, split)), batch_size=100, shuffle=True, drop_last=False)
model = Factorisation()
opt = torch.optim.SGD(model.parameters(), lr=3.0, momentum=0.0)

for epoch in range(20):
    seen = 0.0
    for users, films, target in train:
        rating, penalty = model(users, films)
        fit = nn.functional.mse_loss(rating, target)
        loss = fit + 0.02 * penalty.mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += fit.item() * len(target)
    print(f"epoch {epoch + 1:2d}  train mse {seen / split:.4f}")

with torch.no_grad():
    users, films, target = tensors(split, len(r))
    rating, _ = model(users, films)
    print(f"test rmse {((rating - target) ** 2).mean().sqrt().item():.4f}")
