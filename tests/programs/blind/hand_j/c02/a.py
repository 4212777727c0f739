import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

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


def sinusoid(length, d):
    pos = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    div = torch.exp(torch.arange(0, d, 2, dtype=torch.float32) * (-math.log(10000.0) / d))
    pe = torch.zeros(length, d)
    pe[:, 0::2] = torch.sin(pos * div)
    pe[:, 1::2] = torch.cos(pos * div)
    return pe


class WalkClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2, D)
        self.register_buffer("pe", sinusoid(MAXLEN, D))
        self.norm1 = nn.LayerNorm(D, eps=1e-5)
        self.attn = nn.MultiheadAttention(D, HEADS, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D, eps=1e-5)
        self.ff1 = nn.Linear(D, FF)
        self.ff2 = nn.Linear(FF, D)
        self.head = nn.Linear(D, 3)
        nn.init.xavier_uniform_(self.attn.in_proj_weight)
        nn.init.xavier_uniform_(self.attn.out_proj.weight)

    def forward(self, x, lengths):
        pad = torch.arange(MAXLEN)[None, :] >= lengths[:, None]      # True = padding
        h = self.embed(x) + self.pe
        n = self.norm1(h)
        h = h + self.attn(n, n, n, key_padding_mask=pad, need_weights=False)[0]
        h = h + self.ff2(nn.functional.gelu(self.ff1(self.norm2(h))))
        h = h.masked_fill(pad[:, :, None], 0.0).sum(1) / lengths[:, None]
        return self.head(h)


def main():
    rng = np.random.default_rng(5)
    train = [torch.from_numpy(v) for v in make_data(720, rng)]
    test = [torch.from_numpy(v) for v in make_data(300, rng)]

    torch.manual_seed(1)
    model = WalkClassifier()
    loader = DataLoader(TensorDataset(*train), batch_size=BATCH, shuffle=True)
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)

    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for x, n, y in loader:
            loss = loss_fn(model(x, n), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(y)
        print(f"epoch {epoch + 1:2d} loss {total / len(train[0]):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(test[0], test[1])
        print(f"test loss {loss_fn(logits, test[2]).item():.4f} "
              f"acc {(logits.argmax(1) == test[2]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
