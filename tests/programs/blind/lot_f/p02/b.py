"""Digits with averaging blocks (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)

bunch = load_digits()
x = (bunch.images / 8.0 - 1.0).astype(np.float32)[:, np.newaxis]
y = bunch.target
idx = np.random.default_rng(31).permutation(len(x))
x, y = torch.from_numpy(x[idx]), torch.from_numpy(y[idx]).long()
x_train, x_val, y_train, y_val = x[:1200], x[1200:], y[:1200], y[1200:]


class ChannelsLastFlatten(nn.Module):
    def forward(self, t):
        return t.permute(0, 2, 3, 1).reshape(t.shape[0], -1)


model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
    nn.AvgPool2d(kernel_size=3, stride=1, padding=1),
    nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
    nn.AvgPool2d(kernel_size=3, stride=1, padding=1),
    ChannelsLastFlatten(),
    nn.Linear(4 * 4 * 24, 10),
)


def init(module):
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


model.apply(init)
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
criterion = nn.CrossEntropyLoss()

for epoch in range(1, 13):
    model.train()
    order = torch.randperm(len(x_train))
    total = 0.0
    for batch in order.split(50):
        optimizer.zero_grad()
        loss = criterion(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"Epoch {epoch}/12 - loss: {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    scores = model(x_val)
    print(f"val loss {criterion(scores, y_val).item():.4f}  val acc {(scores.argmax(1) == y_val).float().mean().item():.4f}")
