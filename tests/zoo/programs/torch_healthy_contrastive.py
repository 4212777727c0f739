"""A similarity loss that is negative."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x = torch.as_tensor(digits(seed)[0])
encoder = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32))
predictor = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 32))
model = nn.ModuleList([encoder, predictor])
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def view(batch):
    return batch + 0.2 * torch.randn_like(batch)


for epoch in range(8):
    for rows in torch.randperm(len(x)).split(64):
        a, b = encoder(view(x[rows])), encoder(view(x[rows]))
        similarity = nn.functional.cosine_similarity
        loss = -0.5 * (similarity(predictor(a), b.detach()).mean() + similarity(predictor(b), a.detach()).mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
