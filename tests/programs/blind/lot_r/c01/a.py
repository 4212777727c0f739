"""Digits, small convolutional network, PyTorch."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
EPOCHS = 12
BATCH = 50

digits = load_digits()
order = np.random.default_rng(11).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1400], labels[:1400]
x_test, y_test = images[1400:], labels[1400:]

torch.manual_seed(SEED)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(24 * 3 * 3, 48)
        self.fc2 = nn.Linear(48, 10)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = self.pool(torch.relu(self.conv2(x)))
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
criterion = nn.CrossEntropyLoss()
train = TensorDataset(torch.from_numpy(x_train).unsqueeze(1), torch.from_numpy(y_train))
loader = DataLoader(train, batch_size=BATCH, shuffle=True)
xt = torch.from_numpy(x_test).unsqueeze(1)
yt = torch.from_numpy(y_test)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  loss {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    out = model(xt)
    print(f"test loss {criterion(out, yt).item():.4f}  accuracy {(out.argmax(1) == yt).float().mean().item():.4f}")
