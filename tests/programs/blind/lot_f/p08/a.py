"""Signal classification with a 1-D convnet (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(29)

LENGTH, CLASSES = 32, 5
rng = np.random.default_rng(73)


def signals(n):
    label = rng.integers(0, CLASSES, n)
    t = np.arange(LENGTH) / LENGTH
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    wave = np.sin(2 * np.pi * (label[:, None] + 1.5) * t + phase)
    noisy = wave + 0.6 * rng.normal(size=(n, LENGTH))
    return noisy.astype(np.float32), label.astype(np.int64)


x_train, y_train = signals(1000)
x_test, y_test = signals(400)

conv1 = nn.Conv1d(1, 12, 5)
conv2 = nn.Conv1d(12, 16, 5)
fc = nn.Linear(16, CLASSES)
for layer in (conv1, conv2, fc):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc = conv1, conv2, fc

    def forward(self, x):
        h = torch.relu(self.conv1(x.unsqueeze(1)))
        h = torch.relu(self.conv2(h))
        return self.fc(h.mean(dim=2))


net = Net()
criterion = nn.CrossEntropyLoss(label_smoothing=0.2)
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=50, shuffle=True)

for epoch in range(20):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    logits = net(torch.from_numpy(x_test))
    target = torch.from_numpy(y_test)
    nll = nn.functional.cross_entropy(logits, target).item()
    confidence = logits.softmax(1).max(1).values.mean().item()
print(f"test nll {nll:.4f} confidence {confidence:.4f} accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
