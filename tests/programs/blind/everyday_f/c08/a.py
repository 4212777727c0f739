# Matrix factorisation with biases, PyTorch
import numpy as np
import torch
import torch.nn as nn

N_USERS, N_ITEMS = 160, 120
N_TRAIN = 7000
DIM = 6


def make_ratings(seed=9):
    """Ratings from 1 to 5 with taste factors; every pair is rated at most once."""
    rng = np.random.default_rng(seed)
    p = rng.normal(0, 0.8, (N_USERS, 3))
    q = rng.normal(0, 0.8, (N_ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, N_USERS), rng.normal(0, 0.5, N_ITEMS)
    cells = rng.permutation(N_USERS * N_ITEMS)[:8000]
    users, items = cells // N_ITEMS, cells % N_ITEMS
    raw = 3.4 + bu[users] + bi[items] + (p[users] * q[items]).sum(1) + rng.normal(0, 0.4, len(cells))
    ratings = np.clip(np.round(2 * raw) / 2, 1, 5).astype(np.float32)
    return users.astype(np.int64), items.astype(np.int64), ratings


class MatrixFactorization(nn.Module):
    def __init__(self, mean_rating):
        super().__init__()
        self.user_factors = nn.Embedding(N_USERS, DIM)
        self.item_factors = nn.Embedding(N_ITEMS, DIM)
        self.user_bias = nn.Embedding(N_USERS, 1)
        self.item_bias = nn.Embedding(N_ITEMS, 1)
        nn.init.normal_(self.user_factors.weight, std=0.1)
        nn.init.normal_(self.item_factors.weight, std=0.1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)
        self.mean_rating = mean_rating

    def forward(self, user, item):
        dot = (self.user_factors(user) * self.item_factors(item)).sum(-1)
        bias = self.user_bias(user) + self.item_bias(item)
        return self.mean_rating + dot + bias.squeeze(-1)


def main():
    torch.manual_seed(4)
    users, items, ratings = make_ratings()
    mean_rating = float(ratings[:N_TRAIN].mean())
    users, items, ratings = map(torch.from_numpy, (users, items, ratings))

    model = MatrixFactorization(mean_rating)
    # decay of the factors = L2 penalty 1e-4 * sum(w ** 2); the biases are free
    optimizer = torch.optim.SGD(
        [
            {"params": [model.user_factors.weight, model.item_factors.weight], "weight_decay": 2e-4},
            {"params": [model.user_bias.weight, model.item_bias.weight], "weight_decay": 0.0},
        ],
        lr=8.0,
    )
    loss_fn = nn.MSELoss()
    batch_size = 256

    for epoch in range(20):
        model.train()
        order = torch.randperm(N_TRAIN)
        sse = 0.0
        for idx in order.split(batch_size):
            optimizer.zero_grad()
            loss = loss_fn(model(users[idx], items[idx]), ratings[idx])
            loss.backward()
            optimizer.step()
            sse += loss.item() * len(idx)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: train mse {sse / N_TRAIN:.4f}")

    model.eval()
    with torch.no_grad():
        pred = model(users[N_TRAIN:], items[N_TRAIN:])
        rmse = torch.sqrt(torch.mean((pred - ratings[N_TRAIN:]) ** 2)).item()
        base = torch.sqrt(torch.mean((mean_rating - ratings[N_TRAIN:]) ** 2)).item()
    print(f"test rmse {rmse:.4f} (constant prediction {base:.4f})")


if __name__ == "__main__":
    main()
