import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(19)

images, labels = load_digits(return_X_y=True)
images = (images.reshape(-1, 8, 8) / 16.0).astype("float32")
images = images - 0.3
order = np.random.default_rng(5).permutation(len(images))
images, labels = images[order], labels[order].astype("int64")
n_train = 1280
x_train, y_train = torch.from_numpy(images[:n_train, None]), torch.from_numpy(labels[:n_train])
x_test, y_test = torch.from_numpy(images[n_train:, None]), torch.from_numpy(labels[n_train:])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding="same")
        self.conv2 = nn.Conv2d(12, 12, 3, padding="same")
        self.conv3 = nn.Conv2d(12, 24, 3, padding="same")
        self.conv4 = nn.Conv2d(24, 24, 3, padding="same")
        self.fc1 = nn.Linear(24 * 2 * 2, 32)
        self.fc2 = nn.Linear(32, 10)
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        x = F.max_pool2d(x, 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

for e in range(1, 10):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"[{e}] train loss {total / n_train:.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    test_loss = criterion(logits, y_test).item()
print(f"params {sum(p.numel() for p in model.parameters())}")
print(f"test loss {test_loss:.4f} accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
