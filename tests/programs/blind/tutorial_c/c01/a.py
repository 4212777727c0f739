"""Small convolutional network on the 8x8 digits with two heads (PyTorch).

Head 1 says which digit it is, head 2 estimates how much ink lies in the
right half of the picture compared with the left half.
"""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH = 12, 50
LR, MOMENTUM = 0.02, 0.9
BALANCE_WEIGHT = 0.5


def make_data():
    images, digit = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32).reshape(-1, 8, 8)
    left, right = images[:, :, :4].sum((1, 2)), images[:, :, 4:].sum((1, 2))
    balance = ((right - left) / 5.0).astype(np.float32)
    order = np.random.default_rng(11).permutation(len(images))
    images, digit, balance = images[order], digit[order].astype(np.int64), balance[order]
    return (images[:1500], digit[:1500], balance[:1500],
            images[1500:], digit[1500:], balance[1500:])


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.shared = nn.Linear(24 * 2 * 2, 48)
        self.drop = nn.Dropout(0.2)
        self.digit = nn.Linear(48, 10)
        self.balance = nn.Linear(48, 1)
        for layer in (self.conv1, self.conv2, self.shared, self.digit, self.balance):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = self.drop(F.relu(self.shared(x)))
        return self.digit(x), self.balance(x)


torch.manual_seed(3)
x_tr, d_tr, b_tr, x_te, d_te, b_te = make_data()
train = TensorDataset(torch.from_numpy(x_tr)[:, None], torch.from_numpy(d_tr),
                      torch.from_numpy(b_tr)[:, None])
loader = DataLoader(train, batch_size=BATCH, shuffle=True)
x_te = torch.from_numpy(x_te)[:, None]
d_te, b_te = torch.from_numpy(d_te), torch.from_numpy(b_te)[:, None]

net = TwoHeads()
optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, nesterov=True)

for epoch in range(1, EPOCHS + 1):
    net.train()
    total = 0.0
    for x, d, b in loader:
        optimizer.zero_grad()
        logits, estimate = net(x)
        loss = F.cross_entropy(logits, d) + BALANCE_WEIGHT * F.mse_loss(estimate, b)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    net.eval()
    with torch.no_grad():
        logits, estimate = net(x_te)
        val = F.cross_entropy(logits, d_te) + BALANCE_WEIGHT * F.mse_loss(estimate, b_te)
        acc = (logits.argmax(1) == d_te).float().mean()
    print(f"epoch {epoch:2d}  loss {total / len(train):.4f}  val_loss {val:.4f}  "
          f"val_acc {acc:.4f}  val_balance_mse {F.mse_loss(estimate, b_te):.4f}")
