"""Sequences to be reversed grow longer in lessons: the loss jumps at each."""

import torch
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 32)
        self.gru = nn.GRU(32, 64, batch_first=True)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        return self.out(self.gru(self.embed(x))[0])


model = Reverser()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for length in (2, 3, 4, 6, 8):
    for _ in range(120):
        x = torch.randint(0, 10, (32, length))
        out = model(torch.cat([x, torch.zeros_like(x)], 1))[:, length:]
        loss = nn.functional.cross_entropy(out.reshape(-1, 10), x.flip(1).reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(f"length {length}: {loss.item():.4f}")
