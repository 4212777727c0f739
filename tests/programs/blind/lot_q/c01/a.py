"""Small convolutional classifier on the 8x8 digits (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = ((digits.images[order] - 4.9) / 6.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1200], labels[:1200]
x_test, y_test = images[1200:], labels[1200:]

L2 = 5e-4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32, 10)
        for layer in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        x = x.mean(dim=(2, 3))
        return self.fc(x)

    def penalty(self):
        return L2 * sum((m.weight ** 2).sum() for m in (self.conv1, self.conv2, self.fc))


net = Net()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train)),
    batch_size=64, shuffle=True, drop_last=False)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

for epoch in range(14):
    net.train()
    total, seen = 0.0, 0
    for xb, yb in loader:
        opt.zero_grad()
        ce = F.cross_entropy(net(xb), yb)
        loss = ce + net.penalty()
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
        seen += len(yb)
    print(f"epoch {epoch + 1:2d}  loss {total / seen:.4f}")

net.eval()
with torch.no_grad():
    logits = net(torch.from_numpy(x_test[:, None]))
    target = torch.from_numpy(y_test)
    print(f"test cross-entropy {F.cross_entropy(logits, target).item():.4f}  "
          f"accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
