"""Small convnet on the 8x8 digits, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
torch.manual_seed(11)

digits = load_digits()
images = (digits.images / 16.0).astype(np.float32)
labels = digits.target.astype(np.int64)
order = np.random.RandomState(0).permutation(len(images))
images, labels = images[order], labels[order]
x_train, y_train = images[:1437], labels[:1437]
x_test, y_test = images[1437:], labels[1437:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * 2 * 2, 32)
        self.fc2 = nn.Linear(32, 10)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = torch.relu(self.fc1(x))
        return torch.softmax(self.fc2(x), dim=1)


net = Net()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train)),
                    batch_size=64, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(12):
    net.train()
    total, seen = 0.0, 0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    print(f"epoch {epoch + 1} loss {total / seen:.4f}")

net.eval()
with torch.no_grad():
    out = net(torch.from_numpy(x_test[:, None]))
    target = torch.from_numpy(y_test)
    print(f"test loss {criterion(out, target).item():.4f} accuracy {(out.argmax(1) == target).float().mean().item():.4f}")
