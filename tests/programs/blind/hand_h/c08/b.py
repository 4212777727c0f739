"""Token sequences of unequal length: a GRU written step by step with its own padding mask (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn

VOCAB, MAXLEN, DIM, UNITS = 30, 16, 8, 20
BATCH, EPOCHS, LR = 32, 10, 0.3


def make_data():
    rng = np.random.default_rng(606)
    value = rng.normal(size=VOCAB)
    n = 1900
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    y = np.zeros((n, 1), dtype="float32")
    for i in range(n):
        length = rng.integers(4, MAXLEN + 1)
        seq = rng.integers(1, VOCAB, size=length)
        tokens[i, :length] = seq
        recency = 0.85 ** np.arange(length)[::-1]
        y[i, 0] = float((value[seq] * recency).sum() > 0)
    return tokens[:1500], y[:1500], tokens[1500:], y[1500:]


x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())

torch.manual_seed(12)


class MaskedGRU(nn.Module):
    """update gate z, reset gate r, candidate n; the reset gate acts after the recurrent product."""

    def __init__(self, n_in, units):
        super().__init__()
        self.units = units
        self.w = nn.Parameter(torch.empty(n_in, 3 * units))
        self.u = nn.Parameter(torch.empty(units, 3 * units))
        self.b_in = nn.Parameter(torch.zeros(3 * units))
        self.b_rec = nn.Parameter(torch.zeros(3 * units))
        nn.init.xavier_uniform_(self.w)
        nn.init.orthogonal_(self.u)

    def forward(self, x, mask):
        h = x.new_zeros(x.shape[0], self.units)
        for t in range(x.shape[1]):
            xz, xr, xn = (x[:, t] @ self.w + self.b_in).chunk(3, dim=1)
            hz, hr, hn = (h @ self.u + self.b_rec).chunk(3, dim=1)
            z = torch.sigmoid(xz + hz)
            r = torch.sigmoid(xr + hr)
            n = torch.tanh(xn + r * hn)
            new = z * h + (1 - z) * n
            h = torch.where(mask[:, t : t + 1], new, h)  # padded places leave the state alone
        return h


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, DIM)
        self.gru = MaskedGRU(DIM, UNITS)
        self.out = nn.Linear(UNITS, 1)
        nn.init.uniform_(self.emb.weight, -0.5, 0.5)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens):
        return self.out(self.gru(self.emb(tokens), tokens != 0))


def bce(logits, y):
    return (torch.logaddexp(torch.zeros_like(logits), logits) - logits * y).mean()


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.0)

# training
n = len(x_train)
for epoch in range(EPOCHS):
    order = torch.randperm(n)
    total = 0.0
    for start in range(0, n, BATCH):
        idx = order[start : start + BATCH]
        loss = bce(net(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / n:.4f}")

net.eval()
with torch.no_grad():
    logits = net(x_test)
    print("test loss", bce(logits, y_test).item())
    print("test accuracy", ((logits > 0) == (y_test > 0.5)).float().mean().item())
