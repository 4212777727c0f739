"""Texture classification: small CNN with BatchNorm, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 17
SIZE = 12
N_CLASS = 4
BATCH = 64
EPOCHS = 10


def make_textures(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    labels = rng.integers(0, N_CLASS, n)
    angle = labels * np.pi / N_CLASS + 0.15 * rng.standard_normal(n)
    freq = rng.uniform(0.8, 1.4, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    arg = np.cos(angle)[:, None, None] * xx + np.sin(angle)[:, None, None] * yy
    img = np.sin(freq[:, None, None] * arg + phase[:, None, None])
    img += 0.9 * rng.standard_normal(img.shape)
    return img.astype("float32"), labels.astype("int64")


class BatchNorm2d(nn.BatchNorm2d):
    """Running variance from the biased batch variance, as Keras keeps it."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self.running_mean.mul_(1 - self.momentum).add_(self.momentum * mean)
            self.running_var.mul_(1 - self.momentum).add_(self.momentum * var)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(8, eps=1e-5, momentum=0.1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(16, eps=1e-5, momentum=0.1)
        self.fc1 = nn.Linear(16 * 3 * 3, 32)
        self.fc2 = nn.Linear(32, N_CLASS)
        nn.init.kaiming_uniform_(self.conv1.weight, nonlinearity="relu")
        nn.init.kaiming_uniform_(self.conv2.weight, nonlinearity="relu")
        for fc in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)  # (H, W, C) order
        return self.fc2(F.relu(self.fc1(x)))


def main():
    torch.manual_seed(SEED)
    x, y = make_textures(1400, seed=8)
    x = torch.from_numpy(x).unsqueeze(1)
    y = torch.from_numpy(y)
    x_train, y_train, x_test, y_test = x[:1000], y[:1000], x[1000:], y[1000:]

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

    for epoch in range(EPOCHS):
        net.train()
        order = torch.randperm(len(x_train))
        total, correct = 0.0, 0
        for idx in order.split(BATCH):
            logits = net(x_train[idx])
            loss = F.cross_entropy(logits, y_train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
            correct += (logits.argmax(1) == y_train[idx]).sum().item()
        print(f"epoch {epoch + 1:2d}  loss {total / 1000:.4f}  accuracy {correct / 1000:.4f}")

    net.eval()
    with torch.no_grad():
        logits = net(x_test)
        loss = F.cross_entropy(logits, y_test).item()
        acc = (logits.argmax(1) == y_test).float().mean().item()
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
