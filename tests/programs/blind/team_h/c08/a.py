"""Activity recognition with a small pre-norm transformer, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, CHANNELS, CLASSES = 32, 6, 6
N_TRAIN, N_TEST, BATCH, EPOCHS = 1536, 480, 48, 5
DIM, HEADS, HIDDEN, BLOCKS = 24, 3, 48, 2
PEAK_LR, WARMUP, DECAY = 3e-3, 20, 0.05
TOTAL = EPOCHS * (N_TRAIN // BATCH)


def make_data():
    """Wearable sensor windows: six activities, two of which differ by the order of events."""
    rng = np.random.default_rng(99)
    n = N_TRAIN + N_TEST
    y = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    x = 0.35 * rng.standard_normal((n, STEPS, CHANNELS))
    freq = np.array([1.0, 2.0, 4.0, 2.0, 3.0, 3.0])
    for i, c in enumerate(y):
        ph = rng.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi * freq[c] * t / STEPS * rng.uniform(0.9, 1.1) + ph)
        x[i, :, 0] += wave
        x[i, :, 1] += np.roll(wave, 3) * (1 if c != 3 else -1)
        a, b = rng.integers(2, 13), rng.integers(17, 28)
        first, second = (2, 3) if c in (0, 2, 4) else (3, 2)
        x[i, a:a + 3, first] += 3.0
        x[i, b:b + 3, second] += 3.0
    x = x.astype("float32")
    y = y.astype("int64")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = nn.MultiheadAttention(DIM, HEADS, dropout=0.0, bias=False, batch_first=True)
        self.ln2 = nn.LayerNorm(DIM, eps=1e-5)
        self.up = nn.Linear(DIM, HIDDEN)
        self.down = nn.Linear(HIDDEN, DIM)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        h = self.ln1(x)
        x = x + self.drop(self.attn(h, h, h, need_weights=False)[0])
        h = self.down(nn.functional.gelu(self.up(self.ln2(x)), approximate="none"))
        return x + self.drop(h)


class SensorTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(CHANNELS, DIM)
        self.pos = nn.Parameter(torch.empty(STEPS, DIM))
        self.blocks = nn.ModuleList([Block() for _ in range(BLOCKS)])
        self.ln = nn.LayerNorm(DIM, eps=1e-5)
        self.head = nn.Linear(DIM, CLASSES)
        nn.init.normal_(self.pos, std=0.02)
        for m in self.modules():
            if isinstance(m, nn.MultiheadAttention):
                for block in m.in_proj_weight.data.chunk(3):     # q, k, v each on its own
                    nn.init.xavier_uniform_(block)
                nn.init.xavier_uniform_(m.out_proj.weight)
            elif type(m) is nn.Linear:
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.inp(x) + self.pos
        for b in self.blocks:
            h = b(h)
        return self.head(self.ln(h).mean(dim=1))


def make_optimizer(model):
    # weight matrices are decayed; biases, norms and positions are not
    decay, keep = [], []
    for name, p in model.named_parameters():
        (decay if p.dim() == 2 and name != "pos" else keep).append(p)
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": DECAY},
                             {"params": keep, "weight_decay": 0.0}],
                            lr=PEAK_LR, betas=(0.9, 0.98), eps=1e-12)

    def factor(step):
        return min((step + 1) / WARMUP, (TOTAL - step) / (TOTAL - WARMUP))
    return opt, torch.optim.lr_scheduler.LambdaLR(opt, factor)


def main():
    torch.manual_seed(44)
    x, y, tx, ty = (torch.from_numpy(a) for a in make_data())
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    model = SensorTransformer()
    opt, sched = make_optimizer(model)
    criterion = nn.CrossEntropyLoss()
    print("weights", sum(p.numel() for p in model.parameters()))
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(xb)
        model.eval()
        with torch.no_grad():
            out = model(tx)
        acc = (out.argmax(1) == ty).float().mean().item()
        print(f"epoch {epoch + 1} loss {total / N_TRAIN:.4f} test {criterion(out, ty).item():.4f} "
              f"acc {acc:.4f}")


if __name__ == "__main__":
    main()
