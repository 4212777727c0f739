import numpy as np
import torch
import torch.nn as nn

SEED = 10
USERS, ITEMS, DIM = 300, 800, 12
BATCH = 64
EPOCHS = 5


def popularity(n, power):
    p = 1.0 / np.arange(1, n + 1) ** power
    return p / p.sum()


rng = np.random.default_rng(321)
n = 5000
user_f = rng.normal(size=(USERS, 4))
item_f = rng.normal(size=(ITEMS, 4))
item_b = rng.normal(size=ITEMS)
u = rng.choice(USERS, n, p=popularity(USERS, 0.5)).astype("int64")
i = rng.choice(ITEMS, n, p=popularity(ITEMS, 0.8)).astype("int64")
r = (0.5 * (user_f[u] * item_f[i]).sum(1) + item_b[i] + 0.2 * rng.normal(size=n)).astype("float32")
split = 4000

torch.manual_seed(SEED)
shuffler = np.random.default_rng(SEED)


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(USERS, DIM, sparse=True)
        self.item = nn.Embedding(ITEMS, DIM, sparse=True)
        self.fc1 = nn.Linear(2 * DIM, 32)
        self.fc2 = nn.Linear(32, 1)
        nn.init.uniform_(self.user.weight, -0.05, 0.05)
        nn.init.uniform_(self.item.weight, -0.05, 0.05)
        for m in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, users, items):
        h = torch.cat([self.user(users), self.item(items)], dim=1)
        return self.fc2(torch.tanh(self.fc1(h))).squeeze(1)


model = Recommender()
tables = [model.user.weight, model.item.weight]
dense = list(model.fc1.parameters()) + list(model.fc2.parameters())
opt_tables = torch.optim.SparseAdam(tables, lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
opt_dense = torch.optim.Adam(dense, lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.MSELoss()

ut, it, rt = torch.from_numpy(u), torch.from_numpy(i), torch.from_numpy(r)
for epoch in range(EPOCHS):
    perm = torch.from_numpy(shuffler.permutation(split))
    total = 0.0
    for idx in perm.split(BATCH):
        loss = criterion(model(ut[idx], it[idx]), rt[idx])
        opt_tables.zero_grad()
        opt_dense.zero_grad()
        loss.backward()
        opt_tables.step()
        opt_dense.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: mse {total / split:.4f}")

with torch.no_grad():
    test = criterion(model(ut[split:], it[split:]), rt[split:]).item()
print(f"test mse {test:.4f}")
