import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
EPOCHS = 8
BATCH = 50

digits = load_digits()
X = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:1420], y[:1420]
X_test, y_test = X[1420:], y[1420:]

torch.manual_seed(SEED)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 2 * 2, 48)
        self.fc2 = nn.Linear(48, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


train = TensorDataset(torch.from_numpy(X_train)[:, None], torch.from_numpy(y_train))
loader = DataLoader(train, batch_size=BATCH, shuffle=True, drop_last=False)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test)[:, None])
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")
