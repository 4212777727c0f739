"""A large vocabulary of which a batch touches little."""

import torch
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)
effect = torch.randn(5000)
words = (5000 * torch.rand(2000, 6) ** 3).long()
y = effect[words].sum(1, keepdim=True)
embedding, out = nn.Embedding(5000, 8, sparse=True), nn.Linear(8, 1)
model = nn.ModuleList([embedding, out])
sparse = torch.optim.SparseAdam(embedding.parameters(), lr=0.02)
dense = torch.optim.Adam(out.parameters(), lr=0.01)
for epoch in range(6):
    for batch in torch.randperm(2000).split(32):
        sparse.zero_grad()
        dense.zero_grad()
        loss = nn.functional.mse_loss(out(embedding(words[batch]).sum(1)), y[batch])
        loss.backward()
        sparse.step()
        dense.step()
    print(epoch, loss.item())
