import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(31)

digits = load_digits()
perm = np.random.default_rng(2).permutation(len(digits.target))
img = (digits.images[perm] / 16.0).astype(np.float32)
lab = digits.target[perm].astype(np.int64)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(108, 32)
        self.fc2 = nn.Linear(32, 10)
        for m in (self.conv, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv(x)))
        x = torch.flatten(x.movedim(1, -1), 1)
        return self.fc2(torch.relu(self.fc1(x)))


x, y = torch.from_numpy(img).unsqueeze(1), torch.from_numpy(lab)
loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=60, shuffle=True)
model = ConvNet()
criterion = nn.CrossEntropyLoss(label_smoothing=0.15)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(14):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    logits = model(x[1500:])
    nll = nn.functional.cross_entropy(logits, y[1500:]).item()
    conf = logits.softmax(1).max(1).values.mean().item()
    acc = (logits.argmax(1) == y[1500:]).float().mean().item()
print("test nll %.4f, accuracy %.4f, mean confidence %.4f" % (nll, acc, conf))
