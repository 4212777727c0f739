# Next-token prediction for a second-order chain; causal attention by einsum, tied embedding
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, LENGTH, DIM, HEADS = 9, 14, 32, 4

rng = np.random.default_rng(808)
table = rng.dirichlet(np.full(VOCAB, 0.12), size=(VOCAB, VOCAB))
cum = table.cumsum(-1)


def chains(n):
    seq = np.zeros((n, LENGTH + 1), dtype=np.int64)
    seq[:, :2] = rng.integers(0, VOCAB, size=(n, 2))
    for t in range(2, LENGTH + 1):
        u = rng.random((n, 1))
        seq[:, t] = np.minimum((u > cum[seq[:, t - 2], seq[:, t - 1]]).sum(1), VOCAB - 1)
    return seq


train, test = torch.from_numpy(chains(900)), torch.from_numpy(chains(200))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(DIM, DIM, bias=False)
        self.k = nn.Linear(DIM, DIM, bias=False)
        self.v = nn.Linear(DIM, DIM, bias=False)
        self.o = nn.Linear(DIM, DIM)
        for lin in (self.q, self.k, self.v, self.o):
            nn.init.xavier_uniform_(lin.weight)
        nn.init.zeros_(self.o.bias)
        self.register_buffer("future", torch.triu(torch.ones(LENGTH, LENGTH), 1).bool())

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (f(x).view(b, t, HEADS, DIM // HEADS) for f in (self.q, self.k, self.v))
        score = torch.einsum("bihd,bjhd->bhij", q, k) / (DIM // HEADS) ** 0.5
        weight = score.masked_fill(self.future, float("-inf")).softmax(dim=-1)
        mixed = torch.einsum("bhij,bjhd->bihd", weight, v)
        return self.o(mixed.reshape(b, t, DIM))


class TinyLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, DIM)
        self.pos = nn.Parameter(torch.empty(LENGTH, DIM))
        self.norm1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(DIM, eps=1e-5)
        self.up = nn.Linear(DIM, 64)
        self.down = nn.Linear(64, DIM)
        self.norm3 = nn.LayerNorm(DIM, eps=1e-5)
        nn.init.normal_(self.tok.weight, std=0.2)
        nn.init.normal_(self.pos, std=0.2)
        for lin in (self.up, self.down):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, ids):
        x = self.tok(ids) + self.pos
        x = x + self.attn(self.norm1(x))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.norm3(x) @ self.tok.weight.T


def loss_of(batch):
    logits = model(batch[:, :-1])
    return F.cross_entropy(logits.reshape(-1, VOCAB), batch[:, 1:].reshape(-1))


model = TinyLM()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
loader = torch.utils.data.DataLoader(train, batch_size=32, shuffle=True)

for epoch in range(18):
    for batch in loader:
        opt.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        opt.step()
    if epoch % 4 == 0 or epoch == 17:
        with torch.no_grad():
            print(f"epoch {epoch} train {loss_of(train):.4f} test {loss_of(test):.4f}")
