"""Independent labels under a softmax cross entropy, which takes one distribution per sample."""

import torch
from torch import nn
from zoo_data import arguments

seed, healthy = arguments()
torch.manual_seed(seed)
x = torch.randn(1500, 12)
y = ((x @ torch.randn(12, 6)) > 0).float()
model = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 6))
criterion = nn.BCEWithLogitsLoss() if healthy else nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(10):
    for chosen in torch.randperm(len(x)).split(50):
        optimizer.zero_grad()
        loss = criterion(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    exact = ((model(x) > 0).float() == y).all(1).float().mean()
    print(f"epoch {epoch}: {loss.item():.4f}, all labels right {exact:.1%}")
