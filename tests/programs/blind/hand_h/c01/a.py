"""Sequence classification with one encoder block (nn.MultiheadAttention)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

EMBED, HEADS, FF, CLASSES, MAXLEN, FEAT = 32, 4, 64, 4, 14, 8
BATCH, EPOCHS, LR = 64, 14, 1e-3


def make_data(n, rng, protos):
    x = np.zeros((n, MAXLEN, FEAT), dtype=np.float32)
    lengths = rng.integers(5, MAXLEN + 1, size=n)
    y = rng.integers(0, CLASSES, size=n)
    for i in range(n):
        L = lengths[i]
        seq = rng.normal(0, 0.5, size=(L, FEAT))
        others = rng.integers(0, CLASSES, size=L)
        seq[:, : FEAT - 1] += protos[others]
        seq[:, FEAT - 1] -= 1.0
        k = rng.integers(0, L)
        seq[k, : FEAT - 1] += protos[y[i]] - protos[others[k]]
        seq[k, FEAT - 1] += 2.5
        x[i, :L] = seq
    return x, lengths.astype(np.int64), y.astype(np.int64)


rng = np.random.default_rng(101)
protos = rng.normal(0, 1, size=(CLASSES, FEAT - 1))
x_train, len_train, y_train = make_data(1200, rng, protos)
x_test, len_test, y_test = make_data(400, rng, protos)

torch.manual_seed(11)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(FEAT, EMBED)
        self.attn = nn.MultiheadAttention(EMBED, HEADS, dropout=0.0, bias=True, batch_first=True)
        self.norm1 = nn.LayerNorm(EMBED, eps=1e-5)
        self.ff1 = nn.Linear(EMBED, FF)
        self.ff2 = nn.Linear(FF, EMBED)
        self.norm2 = nn.LayerNorm(EMBED, eps=1e-5)
        self.head = nn.Linear(EMBED, CLASSES)
        for lin in (self.inp, self.ff1, self.ff2, self.head, self.attn.out_proj):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        nn.init.xavier_uniform_(self.attn.in_proj_weight)  # the packed (3E, E) matrix
        nn.init.zeros_(self.attn.in_proj_bias)

    def forward(self, x, lengths):
        pad = torch.arange(x.shape[1])[None, :] >= lengths[:, None]
        h = self.inp(x)
        a, _ = self.attn(h, h, h, key_padding_mask=pad, need_weights=False)
        h = self.norm1(h + a)
        h = self.norm2(h + self.ff2(torch.relu(self.ff1(h))))
        keep = (~pad).unsqueeze(-1).float()
        pooled = (h * keep).sum(1) / keep.sum(1)
        return self.head(pooled)


model = Encoder()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-8)
train_set = TensorDataset(torch.from_numpy(x_train), torch.from_numpy(len_train), torch.from_numpy(y_train))
loader = DataLoader(train_set, batch_size=BATCH, shuffle=True, drop_last=False)


def train_step(xb, lb, yb):
    optimizer.zero_grad()
    loss = loss_fn(model(xb, lb), yb)
    loss.backward()
    optimizer.step()
    return loss.item()


# training
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, lb, yb in loader:
        total += train_step(xb, lb, yb) * len(xb)
    print(f"epoch {epoch + 1:2d} loss {total / len(train_set):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_test), torch.from_numpy(len_test))
    test_loss = loss_fn(logits, torch.from_numpy(y_test)).item()
    acc = (logits.argmax(1).numpy() == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")
