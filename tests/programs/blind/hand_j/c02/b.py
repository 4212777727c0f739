import numpy as np
import torch
from torch import nn

MAXLEN, D, HEADS, FF = 16, 32, 4, 64
BATCH, EPOCHS = 40, 16


def make_data(n, rng):
    """Short 2-d walks (circle / zigzag / spiral-out) of different lengths, zero padded."""
    x = np.zeros((n, MAXLEN, 2), "float32")
    lengths = rng.integers(6, MAXLEN + 1, size=n)
    labels = rng.integers(0, 3, size=n)
    for k in range(n):
        t = np.arange(lengths[k])
        ph = rng.uniform(0, 2 * np.pi)
        w = rng.uniform(0.4, 0.8)
        if labels[k] == 0:
            p = np.stack([np.cos(w * t + ph), np.sin(w * t + ph)], 1)
        elif labels[k] == 1:
            p = np.stack([np.cos(ph) * (-1.0) ** t, np.sin(ph) * (-1.0) ** t], 1)
        else:
            r = 0.5 + 0.08 * t
            p = np.stack([r * np.cos(w * t + ph), -r * np.sin(w * t + ph)], 1)
        x[k, :lengths[k]] = p + 0.25 * rng.normal(size=p.shape)
    return x, lengths, labels


def positions():
    table = np.empty((MAXLEN, D))
    for p in range(MAXLEN):
        for j in range(D // 2):
            angle = p / 10000.0 ** (2 * j / D)
            table[p, 2 * j] = np.sin(angle)
            table[p, 2 * j + 1] = np.cos(angle)
    return torch.tensor(table, dtype=torch.float32)


class MyNorm(nn.Module):
    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d))
        self.shift = nn.Parameter(torch.zeros(d))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        var = (centred * centred).mean(-1, keepdim=True)
        return centred / torch.sqrt(var + self.eps) * self.gain + self.shift


class MyAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_qkv = nn.Parameter(nn.init.xavier_uniform_(torch.empty(3 * d, d)))
        self.w_out = nn.Parameter(nn.init.xavier_uniform_(torch.empty(d, d)))

    def forward(self, x, pad):
        b, t, d = x.shape
        q, k, v = (x @ self.w_qkv.T).chunk(3, dim=-1)

        def split(z):
            return z.reshape(b, t, self.heads, d // self.heads).transpose(1, 2)

        q, k, v = split(q), split(k), split(v)
        scores = q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5
        scores = scores.masked_fill(pad[:, None, None, :], float("-inf"))
        scores = scores - scores.max(-1, keepdim=True).values
        weights = scores.exp()
        weights = weights / weights.sum(-1, keepdim=True)
        return (weights @ v).transpose(1, 2).reshape(b, t, d) @ self.w_out.T


class WalkClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2, D)
        self.register_buffer("pe", positions())
        self.norm1 = MyNorm(D)
        self.attn = MyAttention(D, HEADS)
        self.norm2 = MyNorm(D)
        self.ff1 = nn.Linear(D, FF)
        self.ff2 = nn.Linear(FF, D)
        self.head = nn.Linear(D, 3)

    def forward(self, x, lengths):
        pad = torch.arange(MAXLEN)[None, :] >= lengths[:, None]
        h = self.embed(x) + self.pe
        h = h + self.attn(self.norm1(h), pad)
        z = self.ff1(self.norm2(h))
        z = 0.5 * z * (1.0 + torch.erf(z / 2.0 ** 0.5))
        h = h + self.ff2(z)
        keep = (~pad).float()[:, :, None]
        return self.head((h * keep).sum(1) / keep.sum(1))


def cross_entropy(logits, y):
    picked = logits.gather(1, y[:, None])[:, 0]
    return (torch.logsumexp(logits, dim=1) - picked).mean()


def main():
    rng = np.random.default_rng(5)
    x, n, y = [torch.from_numpy(v) for v in make_data(720, rng)]
    xt, nt, yt = [torch.from_numpy(v) for v in make_data(300, rng)]

    torch.manual_seed(1)
    model = WalkClassifier()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)

    for epoch in range(EPOCHS):
        order = torch.randperm(len(x))
        total = 0.0
        for start in range(0, len(x), BATCH):
            idx = order[start:start + BATCH]
            loss = cross_entropy(model(x[idx], n[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d} loss {total / len(x):.4f}")

    with torch.no_grad():
        logits = model(xt, nt)
        print(f"test loss {cross_entropy(logits, yt).item():.4f} "
              f"acc {(logits.argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
