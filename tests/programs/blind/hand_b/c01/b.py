"""Binary classification of short sensor sequences: LSTM cell, BCE and Adam written out in PyTorch."""
import math
import numpy as np
import torch

T, F, UNITS = 14, 3, 20
EPOCHS, BATCH = 10, 40
LR, BETA1, BETA2, EPS = 0.01, 0.9, 0.999, 1e-7


def make_data(n, rng):
    x = rng.normal(size=(n, T, F)).astype("float32")
    decay = (0.85 ** np.arange(T)[::-1]).astype("float32")
    s = (x[:, :, 0] * decay).sum(1) + 0.8 * (x[:, :, 1] * decay).sum(1) * np.sign(x[:, -1, 2])
    y = (s + 0.2 * rng.normal(size=n) > 0).astype("float32")[:, None]
    return x, y


rng = np.random.default_rng(11)
x_train, y_train = map(torch.from_numpy, make_data(1210, rng))
x_test, y_test = map(torch.from_numpy, make_data(600, rng))

torch.manual_seed(20)


class HandLSTM(torch.nn.Module):
    """Gates in the order input, forget, candidate, output; one bias."""

    def __init__(self):
        super().__init__()
        self.W = torch.nn.Parameter(torch.empty(F, 4 * UNITS))
        self.U = torch.nn.Parameter(torch.empty(UNITS, 4 * UNITS))
        self.b = torch.nn.Parameter(torch.zeros(4 * UNITS))
        self.V = torch.nn.Parameter(torch.empty(UNITS, 1))
        self.c = torch.nn.Parameter(torch.zeros(1))
        torch.nn.init.xavier_uniform_(self.W)
        torch.nn.init.orthogonal_(self.U)
        torch.nn.init.xavier_uniform_(self.V)
        with torch.no_grad():
            self.b[UNITS:2 * UNITS] = 1.0

    def forward(self, x):
        h = x.new_zeros(x.shape[0], UNITS)
        cell = x.new_zeros(x.shape[0], UNITS)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.W + h @ self.U + self.b
            i, f, g, o = z.chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(cell)
        return h @ self.V + self.c


def bce_with_logits(z, y):
    assert z.shape == y.shape
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


model = HandLSTM()
params = list(model.parameters())
m = [torch.zeros_like(p) for p in params]
v = [torch.zeros_like(p) for p in params]
step = 0

# training
for epoch in range(1, EPOCHS + 1):
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = bce_with_logits(model(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        step += 1
        alpha = LR * math.sqrt(1 - BETA2 ** step) / (1 - BETA1 ** step)
        with torch.no_grad():
            for p, g, mi, vi in zip(params, grads, m, v):
                mi.mul_(BETA1).add_(g, alpha=1 - BETA1)
                vi.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
                p.sub_(alpha * mi / (vi.sqrt() + EPS))
        total += loss.item() * len(idx)
    print(f"epoch {epoch:2d}  train loss {total / len(order):.4f}")

with torch.no_grad():
    pred = model(x_test)
    test_loss = bce_with_logits(pred, y_test).item()
    acc = ((pred > 0) == (y_test > 0.5)).float().mean().item()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
