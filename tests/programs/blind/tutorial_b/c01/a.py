"""A small convolutional network on the 8x8 digits, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
torch.set_num_threads(1)

# data: the same split everywhere
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32").reshape(-1, 8, 8)
labels = labels.astype("int64")
order = np.random.RandomState(0).permutation(len(images))
train_idx, test_idx = order[:1400], order[1400:]
x_train = torch.from_numpy(images[train_idx]).unsqueeze(1)
y_train = torch.from_numpy(labels[train_idx])
x_test = torch.from_numpy(images[test_idx]).unsqueeze(1)
y_test = torch.from_numpy(labels[test_idx])


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.25)
        self.fc1 = nn.Linear(32 * 2 * 2, 64)
        self.fc2 = nn.Linear(64, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = self.drop(x.flatten(1))
        return self.fc2(torch.relu(self.fc1(x)))


model = ConvNet()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)

# training
for epoch in range(12):
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
        out = model(x_test)
        val_loss = criterion(out, y_test).item()
        val_acc = (out.argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f} "
          f"val_loss {val_loss:.4f} val_acc {val_acc:.4f}")
