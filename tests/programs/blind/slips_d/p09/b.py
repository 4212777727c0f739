"""Film recommender: matrix factorisation with biases, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def make_ratings(n_users=250, n_items=150, n_ratings=10000, rank=3, seed=13):
    rng = np.random.default_rng(seed)
    u = rng.normal(0, 0.55, (n_users, rank))
    v = rng.normal(0, 0.8, (n_items, rank))
    bu = rng.normal(0, 0.35, n_users)
    bi = rng.normal(0, 0.45, n_items)
    popularity = rng.dirichlet(np.full(n_items, 1.5))
    users = rng.integers(0, n_users, n_ratings)
    items = rng.choice(n_items, n_ratings, p=popularity)
    score = 3.4 + bu[users] + bi[items] + (u[users] * v[items]).sum(1)
    ratings = np.clip(np.round(2 * (score + rng.normal(0, 0.35, n_ratings))) / 2, 0.5, 5.0)
    return users.astype("int64"), items.astype("int64"), ratings.astype("float32")


users, items, ratings = (torch.from_numpy(a) for a in make_ratings())
cut = 8500
train_u, train_i, train_r = users[:cut], items[:cut], ratings[:cut]
test_u, test_i, test_r = users[cut:], items[cut:], ratings[cut:]


class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, dim, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, dim)
        self.item_factors = nn.Embedding(n_items, dim)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        nn.init.normal_(self.user_factors.weight)
        nn.init.normal_(self.item_factors.weight)
        nn.init.zeros_(self.user_biases.weight)
        nn.init.zeros_(self.item_biases.weight)
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, u, i):
        dot = (self.user_factors(u) * self.item_factors(i)).sum(dim=1)
        bias = self.user_biases(u).squeeze(1) + self.item_biases(i).squeeze(1)
        return self.mean + dot + bias

    def penalty(self):
        return self.user_factors.weight.pow(2).sum() + self.item_factors.weight.pow(2).sum()


model = MatrixFactorization(250, 150, 8, float(train_r.numpy().mean()))
optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
REG = 2e-5
BATCH = 250

for epoch in range(10):
    model.train()
    total = 0.0
    for idx in torch.randperm(cut).split(BATCH):
        mse = F.mse_loss(model(train_u[idx], train_i[idx]), train_r[idx])
        loss = mse + REG * model.penalty()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += mse.item() * len(idx)

    model.eval()
    with torch.no_grad():
        rmse = F.mse_loss(model(test_u, test_i), test_r).sqrt().item()
    print(f"epoch {epoch + 1:2d}  train mse {total / cut:.4f}  test rmse {rmse:.4f}")
