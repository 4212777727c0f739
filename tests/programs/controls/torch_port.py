"""The tasks of ``keras_port.py`` in PyTorch, aligned with it: TASK SEED."""

import sys

import torch
from data import load
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

task, seed = sys.argv[1], int(sys.argv[2])
torch.manual_seed(seed)
x, y, x_val, y_val = (torch.from_numpy(part) for part in load(task))
x, x_val = x.float(), x_val.float()
y, y_val = (y, y_val) if task == "classes" else (y.float()[:, None], y_val.float()[:, None])

if task == "regression":
    net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
elif task == "classes":
    net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 3))
else:
    norm = nn.BatchNorm1d(32, eps=1e-3, momentum=0.01)
    net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), norm, nn.Dropout(0.2), nn.Linear(32, 1))
for module in net:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
if task == "regression":
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7)
elif task == "classes":
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
else:
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, eps=1e-7, weight_decay=0.004)
criterion = nn.CrossEntropyLoss() if task == "classes" else nn.MSELoss()
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
for _ in range(8):
    net.train()
    for rows, wanted in loader:
        optimizer.zero_grad()
        loss = criterion(net(rows), wanted)
        if task == "regularised":
            loss = loss + 1e-3 * (net[0].weight ** 2).sum()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        val_loss = criterion(net(x_val), y_val).item()
print(val_loss)
