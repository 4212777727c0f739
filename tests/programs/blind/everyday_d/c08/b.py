"""Rating prediction by biased matrix factorisation (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N_USERS, N_ITEMS, RANK = 150, 100, 8
N_TRAIN, N_TEST = 6000, 1500
BATCH, EPOCHS = 128, 12


def make_ratings():
    rng = np.random.default_rng(404)
    users = rng.integers(0, N_USERS, N_TRAIN + N_TEST)
    items = rng.integers(0, N_ITEMS, N_TRAIN + N_TEST)
    p, q = rng.normal(size=(N_USERS, 2)), rng.normal(size=(N_ITEMS, 2))
    bu, bi = 0.5 * rng.normal(size=N_USERS), 0.7 * rng.normal(size=N_ITEMS)
    raw = 3.2 + bu[users] + bi[items] + 0.6 * (p[users] * q[items]).sum(1) \
        + 0.3 * rng.normal(size=len(users))
    ratings = np.clip(np.round(2 * raw) / 2, 0.5, 5.0).astype(np.float32)
    users, items = users.astype(np.int64), items.astype(np.int64)
    split = lambda a: (a[:N_TRAIN], a[N_TRAIN:])
    return split(users), split(items), split(ratings)


class MatrixFactorization(nn.Module):
    def __init__(self, mean_rating):
        super().__init__()
        self.mean_rating = mean_rating
        self.user_vec = nn.Embedding(N_USERS, RANK)
        self.item_vec = nn.Embedding(N_ITEMS, RANK)
        self.user_bias = nn.Embedding(N_USERS, 1)
        self.item_bias = nn.Embedding(N_ITEMS, 1)
        nn.init.normal_(self.user_vec.weight, std=0.3)
        nn.init.normal_(self.item_vec.weight, std=0.3)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, users, items):
        dot = (self.user_vec(users) * self.item_vec(items)).sum(dim=1)
        bias = self.user_bias(users).squeeze(1) + self.item_bias(items).squeeze(1)
        return self.mean_rating + bias + dot


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.8)


def main():
    torch.manual_seed(6)
    (u_tr, u_te), (i_tr, i_te), (r_tr, r_te) = [
        tuple(torch.from_numpy(a) for a in pair) for pair in make_ratings()]
    loader = DataLoader(TensorDataset(u_tr, i_tr, r_tr), batch_size=BATCH, shuffle=True)
    model = MatrixFactorization(r_tr.mean().item())
    optimizer = make_optimizer(model)
    criterion = nn.MSELoss()

    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for users, items, ratings in loader:
            optimizer.zero_grad()
            loss = criterion(model(users, items), ratings)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(ratings)
        print(f"epoch {epoch:2d} train rmse {(total / N_TRAIN) ** 0.5:.4f}")

    model.eval()
    with torch.no_grad():
        print(f"test rmse {criterion(model(u_te, i_te), r_te).sqrt().item():.4f}")


if __name__ == "__main__":
    main()
