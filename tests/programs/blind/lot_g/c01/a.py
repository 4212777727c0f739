"""Small convolutional classifier for the scikit-learn digits (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

EPOCHS, BATCH, LR, DECAY, SMOOTH = 10, 50, 2e-3, 0.02, 0.1

data = load_digits()
x = (data.images / 16.0).astype(np.float32)
y = data.target.astype(np.int64)
perm = np.random.RandomState(12).permutation(len(x))
x, y = x[perm], y[perm]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 24, 3, padding=1)
        self.pool = nn.AvgPool2d(2)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(4 * 4 * 24, 10)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_uniform_(conv.weight, a=0.0, mode="fan_in", nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, img):
        h = torch.relu(self.conv1(img))
        h = self.pool(torch.relu(self.conv2(h)))
        h = h.permute(0, 2, 3, 1).reshape(len(img), -1)
        return self.fc(self.drop(h))


model = ConvNet()
opt = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=DECAY)
criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTH)
plain_ce = nn.CrossEntropyLoss()
loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train)),
    batch_size=BATCH, shuffle=True, drop_last=False)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}: train loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test[:, None]))
    ce = plain_ce(logits, torch.from_numpy(y_test)).item()
print(f"test cross-entropy {ce:.4f}")
print(f"test accuracy {np.mean(logits.argmax(1).numpy() == y_test):.4f}")
