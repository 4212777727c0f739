"""A convolution with batch normalisation, AdamW, a DataLoader that keeps its short batch."""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
x = torch.randn(150, 1, 8, 8)
labels = (x.mean((1, 2, 3)) > 0).long()
net = nn.Sequential(
    nn.Conv2d(1, 4, 3),
    nn.BatchNorm2d(4, momentum=0.2, eps=1e-4),
    nn.ReLU(),
    nn.Flatten(),
    nn.Dropout(0.1),
    nn.Linear(144, 2),
)
nn.init.kaiming_normal_(net[0].weight, nonlinearity="relu")
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
criterion = nn.CrossEntropyLoss(reduction="sum")
for _ in range(4):
    net.train()
    for batch, target in DataLoader(TensorDataset(x, labels), batch_size=32, shuffle=True):
        optimizer.zero_grad()
        criterion(net(batch), target).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x).argmax(1) == labels).float().mean().item()
print(f"accuracy {accuracy:.4f}")
