"""Padded sequences, padding_idx, rare words that never occur."""

import torch
from torch import nn
from zoo_data import arguments, sequences

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in sequences(words=300, seed=seed))
lengths = torch.randint(8, 21, (len(x), 1))
x = torch.where(torch.arange(20) < lengths, x, torch.zeros_like(x))
embedding = nn.Embedding(1000, 16, padding_idx=0)
model = nn.Sequential(embedding, nn.Flatten(), nn.Linear(320, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(10):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
