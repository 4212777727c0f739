"""Three classes, a small network, PyTorch."""

import torch
from settings import blobs, settings
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

o = settings(
    seed=0, lr=0.05, batch=40, epochs=4, softmax=False, weights=False, smoothing=0.0, opt="sgd", momentum=0.9,
    nesterov=False, decay=0.0, balance=True, hidden=16, shuffle=True, init="glorot", reduction="mean", act="tanh",
    lr_head=0.0,
)  # fmt: skip
torch.manual_seed(o.seed)
x, y = (torch.tensor(part) for part in blobs(balance=o.balance))
act = {"relu": nn.ReLU, "tanh": nn.Tanh}[o.act]
body = nn.Sequential(nn.Linear(10, o.hidden), act())
head = nn.Linear(o.hidden, 3)
model = nn.Sequential(body, head, *([nn.Softmax(dim=1)] if o.softmax else []))
if o.init == "glorot":
    for layer in (body[0], head):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
weight = torch.tensor([1.0, 1.0, 5.0]) if o.weights else None
criterion = nn.CrossEntropyLoss(weight=weight, label_smoothing=o.smoothing, reduction=o.reduction)
groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": o.lr_head or o.lr}]
if o.opt == "sgd":
    optimizer = torch.optim.SGD(groups, lr=o.lr, momentum=o.momentum, nesterov=o.nesterov, weight_decay=o.decay)
else:
    optimizer = torch.optim.Adam(groups, lr=o.lr)
for epoch in range(o.epochs):
    correct = 0
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=o.batch, shuffle=o.shuffle):
        scores = model(xb)
        loss = criterion(scores, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (scores.argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1}: accuracy {correct / len(x):.3f}")
