"""Small CNN on the 8x8 digits; PyTorch, gradients of two micro-batches averaged by hand."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

MICRO, ACCUM, EPOCHS = 32, 2, 14

d = load_digits()
perm = np.random.default_rng(42).permutation(len(d.target))
images = (d.images[perm] / 16.0).astype("float32")[:, None]
labels = d.target[perm].astype("int64")
x_train, y_train = torch.from_numpy(images[:1280]), torch.from_numpy(labels[:1280])
x_test, y_test = torch.from_numpy(images[1280:]), torch.from_numpy(labels[1280:])

torch.manual_seed(21)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.out = nn.Linear(32, 10)
        for m in (self.conv1, self.conv2, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x))
        return self.out(x.mean(dim=(2, 3)))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, dampening=0.0)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=MICRO, shuffle=True)

# training
optimizer.zero_grad()
for epoch in range(EPOCHS):
    net.train()
    running, correct = 0.0, 0
    for i, (xb, yb) in enumerate(loader):
        logits = net(xb)
        loss = F.cross_entropy(logits, yb)
        (loss / ACCUM).backward()
        running += loss.item() * len(xb)
        correct += (logits.argmax(1) == yb).sum().item()
        if (i + 1) % ACCUM == 0:
            optimizer.step()
            optimizer.zero_grad()
    print(f"epoch {epoch + 1} loss {running / len(x_train):.4f} accuracy {correct / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    logits = net(x_test)
    loss = F.cross_entropy(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
