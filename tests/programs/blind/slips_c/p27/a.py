"""Collaborative filtering by matrix factorisation with biases, PyTorch modules."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)
torch.set_num_threads(1)
USERS, ITEMS, FACTORS = 100, 60, 6

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


class Factorisation(nn.Module):
    def __init__(self, mean):
        super().__init__()
        self.mean = mean
        self.user_vec = nn.Embedding(USERS, FACTORS)
        self.item_vec = nn.Embedding(ITEMS, FACTORS)
        self.user_bias = nn.Embedding(USERS, 1)
        self.item_bias = nn.Embedding(ITEMS, 1)
        nn.init.normal_(self.user_vec.weight, std=0.3)
        nn.init.normal_(self.item_vec.weight, std=0.3)
        nn.init.zeros_(self.user_bias.weight)
        nn.init.zeros_(self.item_bias.weight)

    def forward(self, u, i):
        dot = (self.user_vec(u) * self.item_vec(i)).sum(dim=1)
        return self.mean + dot + self.user_bias(u).squeeze(1) + self.item_bias(i).squeeze(1)


model = Factorisation(rating[:CUT].mean().item())
loader = DataLoader(TensorDataset(user[:CUT], item[:CUT], rating[:CUT]),
                    batch_size=64, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=2.0, momentum=0.0, weight_decay=2e-4)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
criterion = nn.MSELoss()

# training
for epoch in range(9):
    total = 0.0
    for u, i, r in loader:
        optimizer.zero_grad()
        loss = criterion(model(u, i), r)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(r)
    with torch.no_grad():
        test = criterion(model(user[CUT:], item[CUT:]), rating[CUT:]).item()
    print(f"epoch {epoch + 1} train mse {total / CUT:.4f} test mse {test:.4f}")
