"""Which of three motifs occurs most often in a sequence? Attention, norm and dropout written out."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(5)
torch.set_num_threads(1)

FEATURES, MAX_LEN, CLASSES = 6, 14, 3
D_MODEL, HEADS, FF, DROPOUT = 32, 4, 64, 0.1
EPOCHS, BATCH = 16, 50


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    motifs = np.random.default_rng(99).normal(size=(CLASSES, FEATURES)) * 1.2
    x = np.zeros((n, MAX_LEN, FEATURES), dtype=np.float32)
    lengths = rng.integers(6, MAX_LEN + 1, size=n)
    y = np.zeros(n, dtype=np.int64)
    for i, length in enumerate(lengths):
        p = rng.dirichlet(np.ones(CLASSES))
        kinds = rng.choice(CLASSES, size=length, p=p)
        x[i, :length] = motifs[kinds] + rng.normal(size=(length, FEATURES)) * 0.7
        y[i] = np.bincount(kinds, minlength=CLASSES).argmax()
    padding = np.arange(MAX_LEN)[None, :] >= lengths[:, None]
    return torch.from_numpy(x), torch.from_numpy(padding), torch.from_numpy(y)


def sinusoids():
    table = np.zeros((MAX_LEN, D_MODEL), dtype=np.float32)
    for pos in range(MAX_LEN):
        for i in range(D_MODEL // 2):
            angle = pos / 10000 ** (2 * i / D_MODEL)
            table[pos, 2 * i] = np.sin(angle)
            table[pos, 2 * i + 1] = np.cos(angle)
    return torch.from_numpy(table)


def drop(x, training):
    if not training:
        return x
    mask = (torch.rand_like(x) >= DROPOUT).float()
    return x * mask / (1.0 - DROPOUT)


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(D_MODEL))
        self.shift = nn.Parameter(torch.zeros(D_MODEL))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-5) * self.scale + self.shift


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(D_MODEL, D_MODEL)
        self.k = nn.Linear(D_MODEL, D_MODEL)
        self.v = nn.Linear(D_MODEL, D_MODEL)
        self.out = nn.Linear(D_MODEL, D_MODEL)
        for lin in (self.q, self.k, self.v):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, padding):
        b, t, _ = x.shape
        split = lambda z: z.view(b, t, HEADS, D_MODEL // HEADS).permute(0, 2, 1, 3)
        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / (D_MODEL // HEADS) ** 0.5
        scores = scores.masked_fill(padding[:, None, None, :], float("-inf"))
        scores = scores - scores.max(dim=-1, keepdim=True).values
        e = torch.exp(scores)
        weights = drop(e / e.sum(dim=-1, keepdim=True), self.training)
        mixed = torch.einsum("bhqk,bhkd->bhqd", weights, v)
        return self.out(mixed.permute(0, 2, 1, 3).reshape(b, t, D_MODEL))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention()
        self.up = nn.Linear(D_MODEL, FF)
        self.down = nn.Linear(FF, D_MODEL)
        self.norm1 = Norm()
        self.norm2 = Norm()

    def forward(self, x, padding):
        x = self.norm1(x + drop(self.attention(x, padding), self.training))
        h = drop(torch.clamp(self.up(x), min=0.0), self.training)
        return self.norm2(x + drop(self.down(h), self.training))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(FEATURES, D_MODEL)
        self.first = Block()
        self.second = Block()
        self.head = nn.Linear(D_MODEL, CLASSES)
        self.register_buffer("positions", sinusoids())

    def forward(self, x, padding):
        h = self.proj(x) + self.positions
        h = self.second(self.first(h, padding), padding)
        valid = (~padding).float()
        weights = valid / valid.sum(1, keepdim=True)
        return self.head(torch.einsum("bt,btd->bd", weights, h))


def cross_entropy(logits, target):
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_p[torch.arange(len(target)), target].mean()


x_train, pad_train, y_train = make_data(900, 1)
x_test, pad_test, y_test = make_data(300, 2)

model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.02)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    order = torch.randperm(len(y_train))
    for idx in order.split(BATCH):
        loss = cross_entropy(model(x_train[idx], pad_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / len(y_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test, pad_test)
    print(f"test loss {cross_entropy(logits, y_test).item():.4f} "
          f"accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
