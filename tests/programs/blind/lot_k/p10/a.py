import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def source(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 16)).astype("float32")
    y = np.digitize(x[:, 0] * x[:, 1] + x[:, 2] - 0.5 * x[:, 3] ** 2, [-0.9, 0.3])
    return x, y.astype("int64")


def target(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 16)).astype("float32")
    y = np.digitize(x[:, 2] + x[:, 4] - 0.5 * x[:, 3] ** 2, [-0.9, 0.3])
    scale = np.linspace(0.5, 2.5, 16).astype("float32")
    shift = np.linspace(-1.5, 1.5, 16).astype("float32")
    return x * scale + shift, y.astype("int64")


xs, ys = source(1200, 0)
xt, yt = target(400, 1)
x_test, y_test = target(400, 2)


class BatchNorm(nn.BatchNorm1d):
    """Running variance kept as the plain (biased) batch variance."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            self.running_mean.lerp_(x.mean(0), self.momentum)
            self.running_var.lerp_(x.var(0, unbiased=False), self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def linear(i, o, bias=True):
    m = nn.Linear(i, o, bias=bias)
    nn.init.xavier_uniform_(m.weight)
    if bias:
        nn.init.zeros_(m.bias)
    return m


torch.manual_seed(9)
body = nn.Sequential(
    linear(16, 48, bias=False), BatchNorm(48, eps=1e-5, momentum=0.1), nn.ReLU(),
    linear(48, 24, bias=False), BatchNorm(24, eps=1e-5, momentum=0.1), nn.ReLU(),
)
head = linear(24, 3)
model = nn.Sequential(body, head)
criterion = nn.CrossEntropyLoss()


def fit(x, y, epochs, batch, lr):
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(params, lr=lr, momentum=0.9)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)),
        batch_size=batch, shuffle=True)
    model.train()
    for _ in range(epochs):
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
    return total / len(x)


def report(name, x, y):
    model.eval()
    with torch.no_grad():
        out = model(torch.from_numpy(x))
        loss = criterion(out, torch.from_numpy(y)).item()
    print(f"{name}: loss {loss:.4f} accuracy {(out.argmax(1).numpy() == y).mean():.4f}")


print("pretraining loss", round(fit(xs, ys, 10, 60, 0.02), 4))
report("source", xs, ys)

for m in body:
    if isinstance(m, BatchNorm):
        for p in m.parameters():
            p.requires_grad = False
print("fine-tuning loss", round(fit(xt, yt, 20, 20, 0.01), 4))
report("target train", xt, yt)
report("target test", x_test, y_test)
