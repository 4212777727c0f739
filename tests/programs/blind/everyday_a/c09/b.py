"""Matrix-factorisation recommender in PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_USERS, N_ITEMS, DIM = 200, 150, 8
BATCH_SIZE, EPOCHS = 128, 12
LEARNING_RATE = 6.0
L2 = 2e-5  # penalty L2 * sum(w^2) on both factor tables


def make_ratings():
    rng = np.random.default_rng(606)
    user_f = rng.normal(size=(N_USERS, 3))
    item_f = rng.normal(size=(N_ITEMS, 3))
    pairs = rng.choice(N_USERS * N_ITEMS, size=7000, replace=False)
    users, items = pairs // N_ITEMS, pairs % N_ITEMS
    raw = (
        3.5
        + 0.4 * (user_f[users] * item_f[items]).sum(1)
        + 0.3 * rng.normal(size=N_USERS)[users]
        + 0.4 * rng.normal(size=N_ITEMS)[items]
        + 0.2 * rng.normal(size=len(pairs))
    )
    ratings = np.clip(np.round(raw * 2) / 2, 0.5, 5.0).astype("float32")
    return users.astype("int64"), items.astype("int64"), ratings


class MatrixFactorization(nn.Module):
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

    def forward(self, user, item):
        dot = (self.user_factors(user) * self.item_factors(item)).sum(dim=1)
        return dot + self.user_bias(user).squeeze(1) + self.item_bias(item).squeeze(1)


def make_optimizer(model):
    tables = [model.user_factors.weight, model.item_factors.weight]
    biases = [model.user_bias.weight, model.item_bias.weight]
    # SGD's weight_decay adds wd * w to the gradient, the derivative of wd / 2 * w^2
    return torch.optim.SGD(
        [{"params": tables, "weight_decay": 2 * L2}, {"params": biases, "weight_decay": 0.0}],
        lr=LEARNING_RATE,
    )


def train_epoch(model, loader, optimizer):
    for user, item, rating in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(user, item), rating)
        loss.backward()
        optimizer.step()


def main():
    torch.manual_seed(0)
    users, items, ratings = make_ratings()
    mean = ratings[:6000].mean()
    data = [torch.from_numpy(v) for v in (users, items, ratings - mean)]
    loader = DataLoader(TensorDataset(*(v[:6000] for v in data)), batch_size=BATCH_SIZE, shuffle=True)
    model = MatrixFactorization()
    optimizer = make_optimizer(model)
    for _ in range(EPOCHS):
        train_epoch(model, loader, optimizer)
    with torch.no_grad():
        for name, part in (("train", slice(0, 6000)), ("test", slice(6000, None))):
            user, item, rating = (v[part] for v in data)
            print(f"{name} rmse {nn.functional.mse_loss(model(user, item), rating).sqrt().item():.4f}")


if __name__ == "__main__":
    main()
