"""Collaborative filtering by matrix factorisation with biases, PyTorch."""
import numpy as np
import torch
from torch import nn

N_USERS, N_ITEMS, K = 120, 80, 6
BATCH, EPOCHS = 100, 12
LR, L2 = 6.0, 5e-5


def make_ratings():
    rng = np.random.RandomState(31)
    p, q = rng.normal(size=(N_USERS, 3)), rng.normal(size=(N_ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, N_USERS), rng.normal(0, 0.5, N_ITEMS)
    score = 3.2 + bu[:, None] + bi[None] + 0.55 * p @ q.T + rng.normal(0, 0.25, (N_USERS, N_ITEMS))
    stars = np.clip(np.rint(2 * score) / 2, 0.5, 5.0).astype("float32")
    cells = rng.permutation(N_USERS * N_ITEMS)[:5200]
    users, items = (cells // N_ITEMS).astype("int64"), (cells % N_ITEMS).astype("int64")
    ratings = stars[users, items]
    return (users[:4600], items[:4600], ratings[:4600]), (users[4600:], items[4600:], ratings[4600:])


class MatrixFactorization(nn.Module):
    def __init__(self, mean):
        super().__init__()
        self.user = nn.Embedding(N_USERS, K)
        self.item = nn.Embedding(N_ITEMS, K)
        self.user_bias = nn.Embedding(N_USERS, 1)
        self.item_bias = nn.Embedding(N_ITEMS, 1)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, u, i):
        dot = (self.user(u) * self.item(i)).sum(1)
        return self.mean + dot + self.user_bias(u).squeeze(1) + self.item_bias(i).squeeze(1)


def main():
    torch.manual_seed(17)
    train, test = make_ratings()
    mean = float(train[2].mean())
    train, test = [[torch.from_numpy(v) for v in part] for part in (train, test)]
    model = MatrixFactorization(mean)
    # ridge on the factors only; d/dw of L2 * w^2 is 2 * L2 * w
    opt = torch.optim.SGD([
        {"params": [model.user.weight, model.item.weight], "weight_decay": 2 * L2},
        {"params": [model.user_bias.weight, model.item_bias.weight], "weight_decay": 0.0},
    ], lr=LR)
    loss_fn = nn.MSELoss()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*train), batch_size=BATCH, shuffle=True)
    for epoch in range(EPOCHS):
        total = 0.0
        for u, i, r in loader:
            pred = model(u, i)
            assert pred.shape == r.shape
            loss = loss_fn(pred, r)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(r)
        with torch.no_grad():
            val = loss_fn(model(test[0], test[1]), test[2]).item()
        print(f"epoch {epoch + 1:2d}: train mse {total / len(train[2]):.4f}  test rmse {val ** 0.5:.4f}")
    print(f"always the mean: rmse {((test[2] - mean) ** 2).mean().sqrt().item():.4f}")


if __name__ == "__main__":
    main()
