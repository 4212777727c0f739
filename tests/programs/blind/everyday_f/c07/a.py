"""Activity recognition with a small transformer encoder (PyTorch)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS = 16
CHANNELS = 6
CLASSES = 5


def make_recordings(n=1500, seed=31):
    """Short windows of a six-channel motion sensor; the class sets tempo and coupling."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(CLASSES, CHANNELS, 3))
    labels = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    phase = rng.uniform(0, 2 * np.pi, (n, 3, 1))
    tempo = (0.35 + 0.12 * labels)[:, None, None] * rng.uniform(0.9, 1.1, (n, 3, 1))
    sources = np.sin(tempo * np.array([1.0, 1.7, 2.3])[None, :, None] * t + phase)
    signal = np.einsum("ncs,nst->ntc", 0.6 * mixing[labels] + 0.8 * mixing[0], sources)
    signal += rng.normal(0, 1.0, signal.shape)
    return (signal / 2.0).astype(np.float32), labels.astype(np.int64)


def position_encoding(dim):
    pos = np.arange(STEPS)[:, None]
    freq = np.exp(-np.log(100.0) * np.arange(0, dim, 2) / dim)[None, :]
    table = np.zeros((STEPS, dim), dtype=np.float32)
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


class EncoderBlock(nn.Module):
    """Pre-norm encoder block."""

    def __init__(self, dim, heads, hidden, dropout):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.MultiheadAttention(dim, heads, dropout=dropout, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)
        self.act = nn.GELU()
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop(h)
        h = self.fc2(self.act(self.fc1(self.norm2(x))))
        return x + self.drop(h)


class ActivityTransformer(nn.Module):
    def __init__(self, dim=32, heads=4, hidden=64, depth=2, dropout=0.1):
        super().__init__()
        self.embed = nn.Linear(CHANNELS, dim)
        self.register_buffer("positions", torch.from_numpy(position_encoding(dim)))
        self.blocks = nn.ModuleList([EncoderBlock(dim, heads, hidden, dropout) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, CLASSES)
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.MultiheadAttention):
            with torch.no_grad():
                for w in m.in_proj_weight.chunk(3):  # query, key, value
                    nn.init.xavier_uniform_(w)
        elif isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.embed(x) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def make_optimizer(model, lr=2e-3, weight_decay=0.05):
    decay = [p for p in model.parameters() if p.ndim >= 2]
    no_decay = [p for p in model.parameters() if p.ndim < 2]
    return torch.optim.AdamW(
        [{"params": decay, "weight_decay": weight_decay},
         {"params": no_decay, "weight_decay": 0.0}],
        lr=lr, betas=(0.9, 0.98), eps=1e-12,
    )


def warmup_then_linear(total, warmup):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return (total - step) / (total - warmup)
    return factor


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = (torch.from_numpy(v) for v in make_recordings())
    train = TensorDataset(x[:1200], y[:1200])
    x_test, y_test = x[1200:], y[1200:]
    loader = DataLoader(train, batch_size=48, shuffle=True)
    epochs = 14

    model = ActivityTransformer()
    optimizer = make_optimizer(model)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, warmup_then_linear(epochs * len(loader), warmup=40))
    criterion = nn.CrossEntropyLoss()

    for epoch in range(epochs):
        model.train()
        losses = []
        for xb, yb in loader:
            loss = criterion(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1:2d} loss {np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
    print(f"test loss {criterion(logits, y_test).item():.4f} "
          f"accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
