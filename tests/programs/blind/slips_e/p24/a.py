"""Variable-length sequences, one attention block spelled out in PyTorch."""
import math
import numpy as np
import torch
from torch import nn

T, F, E, H, K = 12, 5, 16, 4, 3
EPOCHS, BATCH = 12, 32
PEAK_LR, WARMUP, DECAY = 4e-3, 60, 0.01


def make_data(n, rng):
    length = rng.integers(5, T + 1, size=n)
    mask = (np.arange(T)[None, :] < length[:, None])
    x = rng.normal(size=(n, T, F)).astype("float32")
    # the class is told by the feature vector of the step with the largest marker (feature 0)
    marker = np.where(mask, x[:, :, 0], -np.inf)
    at = marker.argmax(1)
    y = x[np.arange(n), at, 1:1 + K].argmax(1).astype("int64")
    x[np.arange(n), at, 0] += 2.0
    x *= mask[:, :, None]
    return x.astype("float32"), mask, y


def positions():
    pos = np.arange(T)[:, None]
    freq = np.exp(-math.log(10000.0) * np.arange(0, E, 2) / E)[None, :]
    pe = np.zeros((T, E), "float32")
    pe[:, 0::2] = np.sin(pos * freq)
    pe[:, 1::2] = np.cos(pos * freq)
    return pe


rng = np.random.default_rng(5)
x_train, m_train, y_train = map(torch.from_numpy, make_data(1280, rng))
x_test, m_test, y_test = map(torch.from_numpy, make_data(500, rng))

torch.manual_seed(1)


def glorot_linear(n_in, n_out, bias=True):
    lin = nn.Linear(n_in, n_out, bias=bias)
    nn.init.xavier_uniform_(lin.weight)
    if bias:
        nn.init.zeros_(lin.bias)
    return lin


class LayerNorm(nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        mu = x.mean(-1, keepdim=True)
        var = ((x - mu) ** 2).mean(-1, keepdim=True)
        return self.gamma * (x - mu) / torch.sqrt(var + self.eps) + self.beta


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = glorot_linear(F, E)
        self.q = glorot_linear(E, E, bias=False)
        self.k = glorot_linear(E, E, bias=False)
        self.v = glorot_linear(E, E, bias=False)
        self.o = glorot_linear(E, E, bias=False)
        self.norm1 = LayerNorm(E)
        self.up = glorot_linear(E, 2 * E)
        self.down = glorot_linear(2 * E, E)
        self.norm2 = LayerNorm(E)
        self.head = glorot_linear(E, K)
        self.register_buffer("pe", torch.from_numpy(positions()))

    def split(self, x):
        return x.view(x.shape[0], T, H, E // H).transpose(1, 2)

    def attention(self, x, mask):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(E // H)
        scores = scores.masked_fill(~mask[:, None, None, :], -1e9)
        w = torch.softmax(scores, dim=1)
        out = (w @ v).transpose(1, 2).reshape(x.shape[0], T, E)
        return self.o(out)

    def forward(self, x, mask):
        h = self.embed(x) + self.pe
        h = self.norm1(h + self.attention(h, mask))
        h = self.norm2(h + self.down(torch.relu(self.up(h))))
        keep = mask.float()[:, :, None]
        pooled = (h * keep).sum(1) / keep.sum(1)
        return self.head(pooled)


def cross_entropy(logits, y):
    logp = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -logp[torch.arange(len(y)), y].mean()


model = Net()
optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, betas=(0.9, 0.999), eps=1e-12,
                              weight_decay=DECAY)
print("weights:", sum(p.numel() for p in model.parameters()))

# training
step = 0
for epoch in range(1, EPOCHS + 1):
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        step += 1
        for group in optimizer.param_groups:      # linear warm-up, then constant
            group["lr"] = PEAK_LR * min(1.0, step / WARMUP)
        optimizer.zero_grad()
        loss = cross_entropy(model(x_train[idx], m_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch:2d}  train loss {total / len(order):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test, m_test)
    test_loss = cross_entropy(logits, y_test).item()
    acc = (logits.argmax(1) == y_test).float().mean().item()
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
