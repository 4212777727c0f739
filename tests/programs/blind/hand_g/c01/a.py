"""Small CNN on the 8x8 digits, PyTorch, label smoothing from the library."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(11)

digits = load_digits()
images = (digits.images / 16.0).astype(np.float32)
labels = digits.target.astype(np.int64)
order = np.random.RandomState(3).permutation(len(images))
images, labels = images[order], labels[order]
x_train, y_train = images[:1437], labels[:1437]
x_test, y_test = images[1437:], labels[1437:]

BATCH, EPOCHS = 32, 8


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(2 * 2 * 32, 10)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.fc(x)


net = Net()
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, nesterov=True)

train_set = torch.utils.data.TensorDataset(torch.from_numpy(x_train)[:, None], torch.from_numpy(y_train))
loader = torch.utils.data.DataLoader(train_set, batch_size=BATCH, shuffle=True)

# training
for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    logits = net(torch.from_numpy(x_test)[:, None])
    yt = torch.from_numpy(y_test)
    print(f"test loss {criterion(logits, yt).item():.4f}  test accuracy {(logits.argmax(1) == yt).float().mean().item():.4f}")
