import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
y = y.astype("int64")
perm = np.random.default_rng(12).permutation(len(X))
X, y = torch.from_numpy(X[perm]), torch.from_numpy(y[perm])
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 96)
        self.fc2 = nn.Linear(96, 48)
        self.out = nn.Linear(48, 10)
        self.drop = nn.Dropout(0.1)
        for layer in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x)))
        x = torch.relu(self.fc2(x))
        return self.out(x)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.003, betas=(0.9, 0.999), eps=0.01)

for epoch in range(16):
    net.train()
    running = 0.0
    for idx in torch.randperm(len(X_train)).split(48):
        opt.zero_grad()
        loss = F.cross_entropy(net(X_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    print("epoch", epoch + 1, "loss", round(running / len(X_train), 4))

net.eval()
with torch.no_grad():
    out = net(X_test)
print("test loss", round(F.cross_entropy(out, y_test).item(), 4))
print("test accuracy", round((out.argmax(1) == y_test).float().mean().item(), 4))
