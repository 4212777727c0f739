import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

BATCH, EPOCHS = 40, 35


def spirals(n, seed):
    rng = np.random.RandomState(seed)
    y = rng.randint(0, 3, n)
    r = rng.uniform(0.1, 1.0, n)
    a = 3.5 * r + 2 * np.pi * y / 3 + 0.2 * rng.randn(n)
    xy = np.stack([r * np.cos(a), r * np.sin(a)], 1)
    lift = rng.__class__(99).randn(2, 16)
    x = np.tanh(xy @ lift * 1.5) + 0.35 * rng.randn(n, 16)
    return x.astype("float32"), y.astype("int64")


x_train, y_train = spirals(480, 1)
x_test, y_test = spirals(600, 2)

torch.manual_seed(9)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(16, 64)
        self.fc2 = nn.Linear(64, 64)
        self.out = nn.Linear(64, 3)
        for m in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.dropout(F.relu(self.fc1(x)), 0.2, self.training)
        x = F.dropout(F.relu(self.fc2(x)), 0.2, self.training)
        return self.out(x)


model = Net()
xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)

# training
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(xt)).split(BATCH):
        opt.zero_grad()
        loss = F.cross_entropy(model(xt[idx]), yt[idx])
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(x_test))
    t = torch.from_numpy(y_test)
    print(f"test loss {F.cross_entropy(out, t).item():.4f} acc {(out.argmax(1) == t).float().mean().item():.4f}")
