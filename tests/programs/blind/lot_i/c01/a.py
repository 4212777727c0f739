"""Digits, small convolutional network, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 10
BATCH = 64


def load():
    X, y = load_digits(return_X_y=True)
    X = (X / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    order = np.random.RandomState(3).permutation(len(X))
    X, y = X[order], y[order].astype("int64")
    return X[:1437], y[:1437], X[1437:], y[1437:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(2 * 2 * 32, 64)
        self.drop = nn.Dropout(0.25)
        self.fc2 = nn.Linear(64, 10)
        for layer in (self.conv1, self.conv2, self.fc1):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        nn.init.xavier_uniform_(self.fc2.weight)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = self.drop(F.relu(self.fc1(x)))
        return self.fc2(x)


torch.manual_seed(11)
x_train, y_train, x_val, y_val = load()
to_nchw = lambda a: torch.from_numpy(a.transpose(0, 3, 1, 2).copy())
xv, yv = to_nchw(x_val), torch.from_numpy(y_val)
train = TensorDataset(to_nchw(x_train), torch.from_numpy(y_train))
loader = DataLoader(train, batch_size=BATCH, shuffle=True)

model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    model.eval()
    with torch.no_grad():
        out = model(xv)
        val_loss = criterion(out, yv).item()
        val_acc = (out.argmax(1) == yv).float().mean().item()
    print(f"epoch {epoch + 1} loss {total / len(train):.4f} val_loss {val_loss:.4f} val_acc {val_acc:.4f}")
