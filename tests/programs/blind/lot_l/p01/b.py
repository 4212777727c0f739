"""Linear probe on a fixed filter bank, then fine-tune everything (PyTorch)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

SIZE, CLASSES, BATCH, EPOCHS = 16, 6, 32, 6


def make_data(n, rng):
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    centres = [(4, 4), (4, 11), (11, 4), (11, 11), (7, 7), (3, 8)]
    x = np.empty((n, SIZE, SIZE, 1), "float32")
    y = rng.integers(0, CLASSES, n)
    for i in range(n):
        cy, cx = centres[y[i]]
        cy, cx = cy + rng.normal(0, 0.8), cx + rng.normal(0, 0.8)
        angle = rng.uniform(0, np.pi)
        d = (yy - cy) * np.cos(angle) + (xx - cx) * np.sin(angle)
        r = (yy - cy) ** 2 + (xx - cx) ** 2
        img = np.exp(-d ** 2 / 2.0 - r / 10.0) + rng.normal(0, 0.35, (SIZE, SIZE))
        x[i, :, :, 0] = img
    return x, y.astype("int64")


def numpy_features(x, kernel, bias):
    """conv 3x3 'same' + relu + max pool 4, rows (h, w, c)."""
    p = np.pad(x[..., 0], ((0, 0), (1, 1), (1, 1)))
    out = np.zeros(x.shape[:3] + (kernel.shape[-1],), "float32")
    for i in range(3):
        for j in range(3):
            out += p[:, i:i + SIZE, j:j + SIZE, None] * kernel[i, j, 0]
    out = np.maximum(out + bias, 0.0)
    out = out.reshape(len(x), SIZE // 4, 4, SIZE // 4, 4, -1).max((2, 4))
    return out.reshape(len(x), -1)


def probe(x, y, rng):
    kernel = rng.normal(0, 0.35, (3, 3, 1, 8)).astype("float32")
    bias = np.zeros(8, "float32")
    f = numpy_features(x, kernel, bias)
    mu = f.mean(0)
    t = np.eye(CLASSES)[y] - 1.0 / CLASSES
    w = np.linalg.solve((f - mu).T @ (f - mu) + 20.0 * np.eye(f.shape[1]), (f - mu).T @ t)
    w = 4.0 * w
    return kernel, bias, w.astype("float32"), (-mu @ w).astype("float32")


rng = np.random.default_rng(11)
x_train, y_train = make_data(960, rng)
x_test, y_test = make_data(400, rng)
conv_w, conv_b, head_w, head_b = probe(x_train[:320], y_train[:320], rng)

torch.manual_seed(3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(4)
        self.head = nn.Linear(8 * (SIZE // 4) ** 2, CLASSES)

    def forward(self, x):
        x = self.pool(F.relu(self.conv(x)))
        return self.head(torch.flatten(x, 1))


model = Net()
with torch.no_grad():
    model.conv.weight.copy_(torch.from_numpy(conv_w).permute(3, 2, 0, 1))
    model.conv.bias.copy_(torch.from_numpy(conv_b))
    model.head.weight.copy_(torch.from_numpy(head_w).T)
    model.head.bias.copy_(torch.from_numpy(head_b))

xt = torch.from_numpy(x_train).permute(0, 3, 1, 2).contiguous()
yt = torch.from_numpy(y_train)
xv = torch.from_numpy(x_test).permute(0, 3, 1, 2).contiguous()
yv = torch.from_numpy(y_test)

# training
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.0)
for epoch in range(EPOCHS):
    model.train()
    perm = torch.randperm(len(xt))
    total = 0.0
    for i in range(0, len(xt), BATCH):
        idx = perm[i:i + BATCH]
        loss = F.cross_entropy(model(xt[idx]), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    out = model(xv)
    print(f"test loss {F.cross_entropy(out, yv).item():.4f} acc {(out.argmax(1) == yv).float().mean().item():.4f}")
