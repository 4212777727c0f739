"""Padded sequences, one self-attention block with the attention spelled out in PyTorch."""
import math
import numpy as np
import torch
from torch import nn

torch.manual_seed(4)
T, F, E, HEADS, BATCH, EPOCHS = 14, 4, 16, 4, 50, 14


def make_data(n=1200, seed=42):
    rng = np.random.default_rng(seed)
    length = rng.integers(5, T + 1, n)
    mask = np.arange(T)[None, :] < length[:, None]
    x = rng.normal(size=(n, T, F)) * mask[:, :, None]
    early = 1.5 * np.cos(np.arange(T) / 3.0)
    score = (x[:, :, 0] * early).sum(1) + 0.8 * ((np.abs(x[:, :, 1]) - 0.8) * mask).sum(1)
    y = (score / np.sqrt(length) > 0).astype("float32")[:, None]
    return x.astype("float32"), mask.astype("float32"), y


def sinusoid(length, width):
    table = torch.zeros(length, width)
    for p in range(length):
        for k in range(0, width, 2):
            angle = p / 10000.0 ** (k / width)
            table[p, k] = math.sin(angle)
            table[p, k + 1] = math.cos(angle)
    return table


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.dim = heads, width // heads
        self.q = nn.Linear(width, width, bias=False)
        self.k = nn.Linear(width, width, bias=False)
        self.v = nn.Linear(width, width, bias=False)
        self.o = nn.Linear(width, width, bias=False)

    def split(self, z):
        b, t, _ = z.shape
        return z.view(b, t, self.heads, self.dim).transpose(1, 2)

    def forward(self, h, mask):
        q, k, v = self.split(self.q(h)), self.split(self.k(h)), self.split(self.v(h))
        score = q @ k.transpose(-1, -2) / math.sqrt(self.dim)
        score = score.masked_fill(mask[:, None, None, :] == 0, float("-inf"))
        ctx = torch.softmax(score, dim=-1) @ v
        return self.o(ctx.transpose(1, 2).reshape(h.shape))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(F, E)
        self.register_buffer("pe", sinusoid(T, E))
        self.att = SelfAttention(E, HEADS)
        self.norm1 = nn.LayerNorm(E, eps=1e-6)
        self.ff1, self.ff2 = nn.Linear(E, 32), nn.Linear(32, E)
        self.norm2 = nn.LayerNorm(E, eps=1e-6)
        self.head = nn.Linear(E, 1)
        for mod in self.modules():
            if isinstance(mod, nn.Linear):
                nn.init.xavier_uniform_(mod.weight)
                if mod.bias is not None:
                    nn.init.zeros_(mod.bias)

    def forward(self, x, mask):
        h = self.embed(x) + self.pe
        h = self.norm1(h + self.att(h, mask))
        h = self.norm2(h + self.ff2(torch.relu(self.ff1(h))))
        m = mask.unsqueeze(-1)
        return self.head((h * m).sum(1) / m.sum(1))


x, mask, y = (torch.from_numpy(a) for a in make_data())
x_train, m_train, y_train = x[:900], mask[:900], y[:900]
x_test, m_test, y_test = x[900:], mask[900:], y[900:]

model = Block()
print("parameters:", sum(p.numel() for p in model.parameters()))


def bce(logit, target):
    # log(1 + e^-|z|) + max(z, 0) - z*y, averaged
    return (torch.log1p(torch.exp(-logit.abs())) + logit.clamp(min=0) - logit * target).mean()


optimizer = torch.optim.Adamax(model.parameters(), lr=6e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    losses = []
    order = torch.randperm(len(x_train))
    for s in range(0, len(x_train), BATCH):
        i = order[s:s + BATCH]
        loss = bce(model(x_train[i], m_train[i]), y_train[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test, m_test)
    acc = ((logits > 0) == (y_test > 0.5)).float().mean()
    print(f"test bce {bce(logits, y_test).item():.4f}  accuracy {acc.item():.4f}")
