import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

digits = load_digits()
X = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
perm = np.random.RandomState(4).permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:1400], y[:1400], X[1400:], y[1400:]

torch.manual_seed(0)


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(16 * 3 * 3, 10)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        return self.fc(self.drop(x.flatten(1)))


model = CNN()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
xt = torch.from_numpy(Xtr).unsqueeze(1)
loader = DataLoader(TensorDataset(xt, torch.from_numpy(ytr)), batch_size=64, shuffle=True, drop_last=False)

for epoch in range(10):
    model.train()
    total, n = 0.0, 0
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
        n += len(yb)
    print("epoch", epoch + 1, "train loss", total / n)

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(Xte).unsqueeze(1))
    print("test loss", F.cross_entropy(logits, torch.from_numpy(yte)).item())
    print("test acc", (logits.argmax(1).numpy() == yte).mean())
