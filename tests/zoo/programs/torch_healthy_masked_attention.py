"""A small transformer with causal and padding masks (-inf before the softmax)."""

import torch
from torch import nn
from zoo_data import arguments, sequences

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in sequences(samples=768, length=12, seed=seed))


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 24)
        self.place = nn.Parameter(0.02 * torch.randn(12, 24))
        layer = nn.TransformerEncoderLayer(24, 4, 48, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(24, 2)

    def forward(self, x):
        mask = torch.triu(torch.full((12, 12), float("-inf")), 1)
        return self.out(self.encoder(self.embedding(x) + self.place, mask=mask)[:, -1])


model = Tiny()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(8):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
