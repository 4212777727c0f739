"""Machine states from sensor windows with a small transformer encoder: PyTorch."""
import numpy as np
import torch
from torch import nn


T, SENSORS, CLASSES = 20, 5, 4
DIM, HEADS, FF, LAYERS, DROP = 24, 3, 48, 2, 0.1
BATCH, EPOCHS = 40, 10
PEAK, WARMUP = 3e-3, 40


def rate(step):
    """Linear warm-up, then inverse square root; step counts from 0."""
    s = step + 1.0
    return PEAK * min(s / WARMUP, (WARMUP / s) ** 0.5)


def make_data(n, seed):
    """Machine states from vibration, temperature and current."""
    rng = np.random.RandomState(seed)
    y = rng.randint(0, CLASSES, n)
    x = 0.6 * rng.randn(n, T, SENSORS)
    t = np.arange(T)
    for i, c in enumerate(y):
        a = rng.randint(2, T - 8)
        if c == 1:                                   # a surge in current, later heat
            x[i, a:a + 3, 0] += 1.6
            x[i, a + 4:a + 8, 1] += 1.2
        elif c == 2:                                 # heat first, then the surge
            x[i, a:a + 4, 1] += 1.2
            x[i, a + 5:a + 8, 0] += 1.6
        elif c == 3:                                 # imbalance
            x[i, :, 2] += np.sin(2 * np.pi * t / 5 + rng.uniform(0, 6))
            x[i, :, 3] += np.cos(2 * np.pi * t / 5 + rng.uniform(0, 6)) * 0.7
    return x.astype("float32"), y.astype("int64")


x_tr, y_tr = make_data(800, 80)
x_te, y_te = make_data(400, 81)

torch.manual_seed(9)


def linear(n_in, n_out):
    l = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(l.weight)
    nn.init.zeros_(l.bias)
    return l


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.LayerNorm(DIM, eps=1e-5)
        self.att = nn.MultiheadAttention(DIM, HEADS, dropout=0.0, bias=False, batch_first=True)
        for part in self.att.in_proj_weight.data.chunk(3):      # q, k, v each by itself
            nn.init.xavier_uniform_(part)
        nn.init.xavier_uniform_(self.att.out_proj.weight)
        self.ln2 = nn.LayerNorm(DIM, eps=1e-5)
        self.ff = nn.Sequential(linear(DIM, FF), nn.GELU(), linear(FF, DIM))
        self.drop1, self.drop2 = nn.Dropout(DROP), nn.Dropout(DROP)

    def forward(self, x):
        h = self.ln1(x)
        x = x + self.drop1(self.att(h, h, h, need_weights=False)[0])
        return x + self.drop2(self.ff(self.ln2(x)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = linear(SENSORS, DIM)
        self.pos = nn.Parameter(torch.randn(T, DIM) * 0.02)
        self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = linear(DIM, CLASSES)

    def forward(self, x):
        x = self.blocks(self.inp(x) + self.pos)
        return self.head(self.norm(x).mean(dim=1))


model = Encoder()
opt = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-12)
sched = torch.optim.lr_scheduler.LambdaLR(opt, rate)
loss_fn = nn.CrossEntropyLoss()
X, Y = torch.from_numpy(x_tr), torch.from_numpy(y_tr)

# training
for epoch in range(EPOCHS):
    model.train()
    run = 0.0
    for idx in torch.randperm(len(X)).split(BATCH):
        loss = loss_fn(model(X[idx]), Y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        run += loss.item() * len(idx)
    sched.step()
    print(f"epoch {epoch + 1}: loss {run / len(X):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(x_te))
    test_loss = loss_fn(logits, torch.from_numpy(y_te)).item()
print(f"test loss {test_loss:.4f}  accuracy {(logits.argmax(1).numpy() == y_te).mean():.4f}")
