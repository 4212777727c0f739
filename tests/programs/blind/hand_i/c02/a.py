"""Variable-length sequences, three classes: one attention block in PyTorch,
with attention, layer norm, positions, clipping and momentum spelled out."""
import math

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

T, FEAT, E, HEADS, HIDDEN, CLASSES = 12, 5, 24, 4, 48, 3
BATCH, EPOCHS, LR, MOMENTUM, CLIP = 32, 17, 0.03, 0.9, 0.5


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, T + 1, size=n)
    y = rng.integers(0, CLASSES, size=n)
    x = rng.normal(0, 1, size=(n, T, FEAT))
    t = np.arange(T)
    for i in range(n):
        phase = rng.uniform(0, 2 * np.pi)
        wave = np.sin((0.5 + 0.6 * y[i]) * t + phase)
        x[i, :, 0] += 2.0 * wave
        x[i, :, 1] += 2.0 * np.cos((0.5 + 0.6 * y[i]) * t + phase)
        x[i, lengths[i]:] = 0.0
    mask = (t[None, :] < lengths[:, None])
    return x.astype("float32"), mask, y.astype("int64")


def positions(length, dim):
    pos = np.arange(length)[:, None]
    freq = 1.0 / 10000 ** (np.arange(0, dim, 2) / dim)
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Norm(nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        var = (centred ** 2).mean(-1, keepdim=True)
        return centred / torch.sqrt(var + self.eps) * self.gain + self.shift


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (linear(E, E) for _ in range(4))

    def forward(self, x, mask):
        b = x.shape[0]

        def heads(z):
            return z.view(b, T, HEADS, E // HEADS).transpose(1, 2)

        q, k, v = heads(self.q(x)), heads(self.k(x)), heads(self.v(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(E // HEADS)
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
        weights = torch.exp(scores - scores.amax(-1, keepdim=True))
        weights = weights / weights.sum(-1, keepdim=True)
        out = (weights @ v).transpose(1, 2).reshape(b, T, E)
        return self.o(out)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = linear(FEAT, E)
        self.register_buffer("pos", torch.from_numpy(positions(T, E)))
        self.attn = Attention()
        self.norm1 = Norm(E)
        self.up = linear(E, HIDDEN)
        self.down = linear(HIDDEN, E)
        self.norm2 = Norm(E)
        self.head = linear(E, CLASSES)

    def forward(self, x, mask):
        h = self.embed(x) + self.pos
        h = self.norm1(h + self.attn(h, mask))
        h = self.norm2(h + self.down(F.relu(self.up(h))))
        m = mask.float().unsqueeze(-1)
        pooled = (h * m).sum(1) / m.sum(1)
        return self.head(pooled)


def main():
    torch.manual_seed(5)
    x, mask, y = (torch.from_numpy(v) for v in make_data(1000, 20))
    xt, maskt, yt = (torch.from_numpy(v) for v in make_data(500, 21))
    model = Net()
    params = list(model.parameters())
    print("weights:", sum(p.numel() for p in params))
    velocity = [torch.zeros_like(p) for p in params]
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x))
        total = 0.0
        for s in range(0, len(x), BATCH):
            i = order[s:s + BATCH]
            logp = torch.log_softmax(model(x[i], mask[i]), dim=-1)
            loss = -logp[torch.arange(len(i)), y[i]].mean()
            grads = torch.autograd.grad(loss, params)
            with torch.no_grad():
                norm = torch.sqrt(sum((g ** 2).sum() for g in grads))
                scale = min(1.0, CLIP / norm.item())
                for p, v, g in zip(params, velocity, grads):
                    v.mul_(MOMENTUM).sub_(LR * scale * g)
                    p.add_(v)
            total += loss.item() * len(i)
        print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")
    with torch.no_grad():
        out = model(xt, maskt)
        logp = torch.log_softmax(out, dim=-1)
        print(f"test loss {-logp[torch.arange(len(yt)), yt].mean().item():.4f}"
              f"  accuracy {(out.argmax(-1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
