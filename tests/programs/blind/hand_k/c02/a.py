"""Binary sequence classification: an LSTM cell written by hand in PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

UNITS, BATCH, EPOCHS = 24, 40, 12
LR, RHO, EPS = 2e-3, 0.9, 1e-7


def make_data():
    rng = np.random.default_rng(21)
    x = rng.normal(size=(1500, 20, 3)).astype(np.float32)
    gate = (x[:, :, 1] > 0).astype(np.float32)
    score = (x[:, :, 0] * gate).sum(axis=1) + 0.3 * x[:, -1, 2]
    y = (score > 0).astype(np.float32)
    return x[:1200], y[:1200], x[1200:], y[1200:]


class LSTMClassifier(nn.Module):
    """gates in the order input, forget, candidate, output; one bias vector"""

    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(n_in, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        self.head = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[units:2 * units] = 1.0
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            z = x[:, t] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.head(h).squeeze(1)


torch.manual_seed(8)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())
model = LSTMClassifier(3, UNITS)
params = list(model.parameters())
square_avg = [torch.zeros_like(p) for p in params]

for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    running = 0.0
    for start in range(0, len(x_train), BATCH):
        idx = order[start:start + BATCH]
        loss = F.binary_cross_entropy_with_logits(model(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():                       # RMSprop, epsilon under the root
            for p, v, g in zip(params, square_avg, grads):
                v.mul_(RHO).add_((1 - RHO) * g * g)
                p.sub_(LR * g / torch.sqrt(v + EPS))
        running += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  loss {running / len(x_train):.4f}")

with torch.no_grad():
    logits = model(x_test)
    test_loss = F.binary_cross_entropy_with_logits(logits, y_test).item()
    test_acc = ((logits > 0).float() == y_test).float().mean().item()
print(f"test loss {test_loss:.4f}  test accuracy {test_acc:.4f}")
