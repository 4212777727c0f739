"""Residual MLP regression on a synthetic robot-arm problem (PyTorch)."""
import numpy as np
import torch
from torch import nn

SEED = 5
torch.manual_seed(SEED)


def make_data(n=1500, seed=2024):
    rng = np.random.default_rng(seed)
    q = rng.uniform(-1.5, 1.5, size=(n, 4))
    x1 = np.cos(q[:, 0]) + 0.8 * np.cos(q[:, 0] + q[:, 1]) + 0.5 * np.cos(q[:, 0] + q[:, 1] + q[:, 2])
    x2 = np.sin(q[:, 0]) + 0.8 * np.sin(q[:, 0] + q[:, 1]) + 0.5 * np.sin(q[:, 0] + q[:, 1] + q[:, 2])
    y = np.stack([x1, x2, x1 * np.sin(q[:, 3])], axis=1)
    y = y + 0.02 * rng.standard_normal(y.shape)
    return q.astype("float32"), y.astype("float32")


X, Y = make_data()
x_train, y_train, x_test, y_test = X[:1200], Y[:1200], X[1200:], Y[1200:]
mu, sd = y_train.mean(axis=0), y_train.std(axis=0)
y_train, y_test = (y_train - mu) / sd, (y_test - mu) / sd

BATCH, EPOCHS, WIDTH, BLOCKS = 50, 20, 64, 3


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = dense(width, 2 * width)
        self.act = nn.GELU()
        self.down = dense(2 * width, width)

    def forward(self, h):
        return h + self.down(self.act(self.up(h)))


model = nn.Sequential(
    dense(4, WIDTH),
    nn.GELU(),
    *[Block(WIDTH) for _ in range(BLOCKS)],
    nn.GELU(),
    dense(WIDTH, 3),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=False)
mse = nn.MSELoss()

xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)
rng = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    model.train()
    order = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(order), BATCH):
        idx = torch.from_numpy(order[i:i + BATCH])
        optimizer.zero_grad()
        loss = mse(model(xt[idx]), yt[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} train mse {total / len(x_train):.5f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(x_test)).numpy()
print(f"parameters {sum(p.numel() for p in model.parameters())}")
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
