# Matrix factorisation with biases, PyTorch.
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_USERS, N_ITEMS, DIM = 90, 60, 6
BATCH, EPOCHS = 80, 15
LR, REG = 3.0, 0.003


def make_ratings(seed):
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 0.6, (N_USERS, 3))
    style = rng.normal(0, 0.6, (N_ITEMS, 3))
    generous = rng.normal(0, 0.4, N_USERS)
    quality = rng.normal(0, 0.5, N_ITEMS)
    full = 3.4 + generous[:, None] + quality[None, :] + 1.6 * taste @ style.T
    pairs = rng.permutation(N_USERS * N_ITEMS)[:4000]
    users, items = pairs // N_ITEMS, pairs % N_ITEMS
    ratings = np.clip(full[users, items] + rng.normal(0, 0.25, len(pairs)), 1, 5)
    return users.astype("int32"), items.astype("int32"), ratings.astype("float32")


users, items, ratings = make_ratings(123)
train, test = slice(0, 3000), slice(3000, 4000)
mean_rating = float(ratings[train].mean())


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user_factors = nn.Embedding(N_USERS, DIM)
        self.item_factors = nn.Embedding(N_ITEMS, DIM)
        self.user_bias = nn.Embedding(N_USERS, 1)
        self.item_bias = nn.Embedding(N_ITEMS, 1)
        nn.init.normal_(self.user_factors.weight, std=0.1)
        nn.init.normal_(self.item_factors.weight, std=0.1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, u, i):
        p, q = self.user_factors(u), self.item_factors(i)
        score = (p * q).sum(1) + self.user_bias(u).squeeze(1) + self.item_bias(i).squeeze(1)
        return mean_rating + score, p, q


torch.manual_seed(14)
model = Recommender()
optimizer = torch.optim.SGD(model.parameters(), lr=LR)
mse_loss = nn.MSELoss()

u_all, i_all, r_all = (torch.from_numpy(a) for a in (users, items, ratings))
loader = DataLoader(TensorDataset(u_all[train], i_all[train], r_all[train]), batch_size=BATCH, shuffle=True)

# ---- training
for epoch in range(EPOCHS):
    total = 0.0
    for u, i, r in loader:
        pred, p, q = model(u, i)
        mse = mse_loss(pred, r)
        loss = mse + REG * (p.pow(2).sum(1) + q.pow(2).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += mse.item() * len(r)
    print(f"epoch {epoch + 1:2d} train mse {total / 3000:.4f}")

with torch.no_grad():
    pred, _, _ = model(u_all[test], i_all[test])
    print(f"test rmse {mse_loss(pred, r_all[test]).sqrt().item():.4f}")
print(f"mean-only rmse {np.sqrt(np.mean((mean_rating - ratings[test]) ** 2)):.4f}")
