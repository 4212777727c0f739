import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(7).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
X_train, y_train = torch.tensor(X[:1440]), torch.tensor(y[:1440])
X_test, y_test = torch.tensor(X[1440:]), torch.tensor(y[1440:])

EPOCHS, BATCH = 25, 72
LR, DECAY = 2e-3, 0.02

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)
        for m in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.out(x)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=DECAY)

losses = []
for epoch in range(EPOCHS):
    net.train()
    perm = torch.randperm(len(X_train))
    running = 0.0
    for i in range(0, len(X_train), BATCH):
        idx = perm[i:i + BATCH]
        loss = F.cross_entropy(net(X_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    losses.append(running / len(X_train))
print("train loss", [round(v, 4) for v in losses[::6]])

net.eval()
with torch.no_grad():
    logits = net(X_test)
    print("test loss %.4f" % F.cross_entropy(logits, y_test).item())
    print("test acc  %.4f" % (logits.argmax(1) == y_test).float().mean().item())
