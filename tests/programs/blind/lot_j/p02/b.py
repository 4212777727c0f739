import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(21)


def make_data():
    rng = np.random.default_rng(2024)
    x = rng.normal(size=(1500, 10))
    w = rng.normal(size=(10, 3))
    h = x @ w
    y = 8.0 + 3.0 * np.sin(h[:, 0]) + 1.5 * h[:, 1] * np.tanh(h[:, 2]) + 0.3 * rng.normal(size=1500)
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 48)
        self.fc2 = nn.Linear(48, 24)
        self.out = nn.Linear(24, 1)
        for fc in (self.fc1, self.fc2, self.out):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        return self.out(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))


x, y = map(torch.from_numpy, make_data())
x_train, y_train, x_test, y_test = x[:1200], y[:1200], x[1200:], y[1200:]

model = Net()
opt = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.98), eps=1e-12)

rng = np.random.default_rng(5)
for epoch in range(25):
    perm = rng.permutation(1200)
    losses = []
    model.train()
    for i in range(0, 1200, 50):
        sel = perm[i:i + 50]
        opt.zero_grad()
        loss = F.mse_loss(model(x_train[sel]), y_train[sel])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        test = F.mse_loss(model(x_test), y_test).item()
    print(f"{epoch:3d}  train {np.mean(losses):8.4f}  test {test:8.4f}")
