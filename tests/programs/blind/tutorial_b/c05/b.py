"""Collaborative filtering by matrix factorisation with biases, bare tensors."""
import numpy as np
import torch

torch.manual_seed(17)
torch.set_num_threads(1)
USERS, ITEMS, FACTORS = 100, 60, 6
LEARNING_RATE, DECAY, BATCH, EPOCHS = 2.0, 2e-4, 64, 9

# data: ratings from a hidden low-rank table
rng = np.random.RandomState(9)
taste = rng.randn(USERS, 3)
style = rng.randn(ITEMS, 3)
table = 3.2 + 0.4 * rng.randn(USERS, 1) + 0.4 * rng.randn(1, ITEMS) + 0.5 * taste @ style.T
pairs = rng.permutation(USERS * ITEMS)[:4500]
user, item = pairs // ITEMS, pairs % ITEMS
rating = np.clip(table[user, item] + 0.2 * rng.randn(len(pairs)), 1, 5).astype("float32")
user, item, rating = torch.from_numpy(user), torch.from_numpy(item), torch.from_numpy(rating)
CUT = 3900

mean = rating[:CUT].mean().item()
P = (0.3 * torch.randn(USERS, FACTORS)).requires_grad_()
Q = (0.3 * torch.randn(ITEMS, FACTORS)).requires_grad_()
bu = torch.zeros(USERS, requires_grad=True)
bi = torch.zeros(ITEMS, requires_grad=True)
parameters = [P, Q, bu, bi]


def squared_error(u, i, r):
    prediction = mean + torch.einsum("nf,nf->n", P[u], Q[i]) + bu[u] + bi[i]
    return ((prediction - r) ** 2).mean()


# training
for epoch in range(EPOCHS):
    lr = LEARNING_RATE * 0.5 ** (epoch // 3)
    shuffled = torch.randperm(CUT)
    total = 0.0
    for start in range(0, CUT, BATCH):
        k = shuffled[start:start + BATCH]
        mse = squared_error(user[k], item[k], rating[k])
        penalty = 0.5 * DECAY * sum((p ** 2).sum() for p in parameters)
        grads = torch.autograd.grad(mse + penalty, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, grads):
                p -= lr * g
        total += mse.item() * len(k)
    with torch.no_grad():
        test = squared_error(user[CUT:], item[CUT:], rating[CUT:]).item()
    print(f"epoch {epoch + 1} train mse {total / CUT:.4f} test mse {test:.4f}")
