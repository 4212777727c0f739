"""Which bump comes first?  One pre-norm transformer block on padded sequences (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
torch.set_num_threads(1)

T, F_IN, D, HEADS, HIDDEN = 16, 6, 32, 4, 64


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T, F_IN), dtype="float32")
    mask = np.zeros((n, T), dtype="float32")
    y = np.zeros(n, dtype="float32")
    for i in range(n):
        length = rng.randint(8, T + 1)
        x[i, :length] = 0.4 * rng.randn(length, F_IN)
        p, q = rng.choice(length, 2, replace=False)
        x[i, p, 0] += 3.0
        x[i, q, 1] += 3.0
        mask[i, :length] = 1.0
        y[i] = float(p < q)
    return x, mask, y


x_train, m_train, y_train = map(torch.from_numpy, make_data(1280, 1))
x_test, m_test, y_test = map(torch.from_numpy, make_data(400, 2))


def sinusoids(length, dim):
    pos = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    div = torch.exp(torch.arange(0, dim, 2, dtype=torch.float32) * (-math.log(10000.0) / dim))
    pe = torch.zeros(length, dim)
    pe[:, 0::2] = torch.sin(pos * div)
    pe[:, 1::2] = torch.cos(pos * div)
    return pe


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(F_IN, D)
        self.register_buffer("pe", sinusoids(T, D))
        self.norm1 = nn.LayerNorm(D, eps=1e-5)
        self.attn = nn.MultiheadAttention(D, HEADS, dropout=0.0, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D, eps=1e-5)
        self.ff1 = nn.Linear(D, HIDDEN)
        self.ff2 = nn.Linear(HIDDEN, D)
        self.head = nn.Linear(D, 1)
        for lin in (self.inp, self.ff1, self.ff2, self.head):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        # q, k and v are three separate D x D projections
        for block in self.attn.in_proj_weight.chunk(3, dim=0):
            nn.init.xavier_uniform_(block)
        nn.init.xavier_uniform_(self.attn.out_proj.weight)

    def forward(self, x, mask):
        h = self.inp(x) + self.pe
        z = self.norm1(h)
        h = h + self.attn(z, z, z, key_padding_mask=(mask == 0), need_weights=False)[0]
        h = h + self.ff2(nn.functional.gelu(self.ff1(self.norm2(h))))
        pooled = (h * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return self.head(pooled).squeeze(-1)


model = Net()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.01)


def train_step(xb, mb, yb):
    loss = criterion(model(xb, mb), yb)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


if __name__ == "__main__":
    for epoch in range(10):
        model.train()
        perm = torch.randperm(len(x_train))
        losses = []
        for idx in perm.split(40):
            losses.append(train_step(x_train[idx], m_train[idx], y_train[idx]))
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")
    model.eval()
    with torch.no_grad():
        z = model(x_test, m_test)
        print(f"test loss {criterion(z, y_test).item():.4f} "
              f"accuracy {((z > 0).float() == y_test).float().mean().item():.4f}")
