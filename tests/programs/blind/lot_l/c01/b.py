"""Gesture recognition from short sensor sequences: one encoder block, PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F_

T, F, D, HEADS, CLASSES = 20, 4, 32, 2, 5
BATCH, EPOCHS = 32, 8


def gestures(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, n)
    t = np.arange(T)
    x = 0.4 * rng.normal(size=(n, T, F))
    for i in range(n):
        start = rng.integers(0, T - 10)
        bump = np.exp(-0.5 * ((t - start - 4) / 1.5) ** 2)
        late = np.exp(-0.5 * ((t - start - 9) / 1.5) ** 2)
        a, b = [(0, 1), (1, 0), (2, 3), (3, 2), (0, 2)][y[i]]
        x[i, :, a] += 2.0 * bump
        x[i, :, b] += 2.0 * late
    return x.astype("float32"), y.astype("int64")


def positions():
    pos = np.arange(T)[:, None]
    freq = np.exp(-np.log(100.0) * np.arange(0, D, 2) / D)
    table = np.zeros((T, D), "float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


x_train, y_train = gestures(900, 3)
x_test, y_test = gestures(400, 4)

torch.manual_seed(72)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(F, D)
        self.register_buffer("pos", torch.from_numpy(positions()))
        self.norm1 = nn.LayerNorm(D, eps=1e-5)
        self.attn = nn.MultiheadAttention(D, HEADS, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D, eps=1e-5)
        self.ff1 = nn.Linear(D, 2 * D)
        self.ff2 = nn.Linear(2 * D, D)
        self.head = nn.Linear(D, CLASSES)
        for m in (self.embed, self.ff1, self.ff2, self.head):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)
        for w in self.attn.in_proj_weight.chunk(3):
            nn.init.xavier_uniform_(w)
        nn.init.xavier_uniform_(self.attn.out_proj.weight)

    def forward(self, x):
        h = self.embed(x) + self.pos
        n = self.norm1(h)
        h = h + self.attn(n, n, n, need_weights=False)[0]
        h = h + self.ff2(F_.gelu(self.ff1(self.norm2(h)), approximate="none"))
        return self.head(h.mean(1))


model = Encoder()
xt, yt = torch.from_numpy(x_train), torch.from_numpy(y_train)

# training
opt = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.02)
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for idx in torch.randperm(len(xt)).split(BATCH):
        loss = F_.cross_entropy(model(xt[idx]), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {total / len(xt):.4f}")

model.eval()
with torch.no_grad():
    out = model(torch.from_numpy(x_test))
    t = torch.from_numpy(y_test)
    print(f"test loss {F_.cross_entropy(out, t).item():.4f} acc {(out.argmax(1) == t).float().mean().item():.4f}")
