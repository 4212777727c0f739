import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(0)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
n_train = 1400
x_train = torch.from_numpy(images[:n_train, None])
y_train = torch.from_numpy(labels[:n_train])
x_test = torch.from_numpy(images[n_train:, None])
y_test = torch.from_numpy(labels[n_train:])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 2 * 2, 40)
        self.fc2 = nn.Linear(40, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)

for epoch in range(8):
    perm = torch.randperm(n_train)
    running = 0.0
    for i in range(0, n_train, 32):
        idx = perm[i:i + 32]
        optimizer.zero_grad()
        loss = criterion(net(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx)
    print("epoch", epoch, "train loss", round(running / n_train, 4))

with torch.no_grad():
    acc = (net(x_test).argmax(1) == y_test).float().mean().item()
print("test accuracy", acc)
