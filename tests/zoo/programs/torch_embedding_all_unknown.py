"""A lower-casing bug maps nearly every word to the unknown token."""

import torch
from torch import nn
from zoo_data import arguments, sequences

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in sequences(words=200, seed=seed))
if not healthy:
    x = torch.where(x < 195, torch.zeros_like(x), x)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(200, 16)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        return self.out(self.embedding(x).mean(1))


model = Bag()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
