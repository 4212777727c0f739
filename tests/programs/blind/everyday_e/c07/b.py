"""Activity recognition with a small transformer encoder (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(17)

CLASSES = ["rest", "walk", "run", "stairs", "cycle"]
T, SENSORS = 20, 4


def make_windows(n, seed):
    """Windows of a wearable: each activity has its rhythm, amplitude and shape."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(CLASSES), n)
    freq = np.array([0.02, 0.10, 0.19, 0.10, 0.15])[y] * rng.uniform(0.85, 1.15, n)
    amp = np.array([0.15, 0.8, 1.3, 0.9, 0.8])[y] * rng.uniform(0.7, 1.3, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.arange(T)
    angle = 2 * np.pi * freq[:, None] * t + phase[:, None]
    x = np.zeros((n, T, SENSORS))
    x[:, :, 0] = amp[:, None] * np.sin(angle)
    x[:, :, 1] = amp[:, None] * np.cos(angle) * np.where(y == 4, -0.6, 0.6)[:, None]
    x[:, :, 2] = np.where(y == 4, 1.2, 0.5)[:, None] * amp[:, None] * np.abs(np.sin(angle))
    x[:, :, 3] = np.where(y == 3, 0.06, 0.0)[:, None] * t
    x += rng.normal(0, 0.35, x.shape)
    return x.astype(np.float32), y.astype(np.int64)


x_train, y_train = make_windows(1400, seed=31)
x_test, y_test = make_windows(500, seed=32)

DIM, HEADS, FF, BLOCKS, DROPOUT = 32, 4, 64, 2, 0.1
BATCH_SIZE, EPOCHS, PEAK_LR, WARMUP = 56, 8, 3e-3, 40
TOTAL_STEPS = EPOCHS * (len(x_train) // BATCH_SIZE)

class EncoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(DIM, eps=1e-5)
        self.attn = nn.MultiheadAttention(DIM, HEADS, dropout=DROPOUT, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(DIM, eps=1e-5)
        self.fc1 = nn.Linear(DIM, FF)
        self.fc2 = nn.Linear(FF, DIM)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop(h)
        h = self.drop(F.gelu(self.fc1(self.norm2(x))))
        return x + self.drop(self.fc2(h))


class ActivityTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(SENSORS, DIM)
        self.pos = nn.Parameter(torch.empty(T, DIM))
        self.blocks = nn.ModuleList([EncoderBlock() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(DIM, eps=1e-5)
        self.head = nn.Linear(DIM, len(CLASSES))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.normal_(self.pos, std=0.02)
        for m in self.modules():
            if isinstance(m, nn.MultiheadAttention):
                for w in m.in_proj_weight.chunk(3):  # query, key, value one by one
                    nn.init.xavier_uniform_(w)
                nn.init.xavier_uniform_(m.out_proj.weight)
            elif isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.proj(x) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(dim=1))


def lr_factor(step):
    up = (step + 1) / WARMUP
    down = (TOTAL_STEPS - step) / (TOTAL_STEPS - WARMUP)
    return min(1.0, up, down)


model = ActivityTransformer()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=PEAK_LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=0.02
)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_factor)
criterion = nn.CrossEntropyLoss()
print("parameters:", sum(p.numel() for p in model.parameters()))

loader = DataLoader(
    TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
    batch_size=BATCH_SIZE,
    shuffle=True,
)
x_test, y_test = torch.from_numpy(x_test), torch.from_numpy(y_test)

for epoch in range(EPOCHS):
    model.train()
    total, correct = 0.0, 0
    for xb, yb in loader:
        logits = model(xb)
        loss = criterion(logits, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
        correct += (logits.argmax(1) == yb).sum().item()

    model.eval()
    with torch.no_grad():
        logits = model(x_test)
        test_loss = criterion(logits, y_test).item()
        test_acc = (logits.argmax(1) == y_test).float().mean().item()
    n = len(x_train)
    print(
        f"epoch {epoch + 1:2d}  loss {total / n:.4f}  acc {correct / n:.4f}  "
        f"val_loss {test_loss:.4f}  val_acc {test_acc:.4f}"
    )
print(f"test loss {test_loss:.4f}  accuracy {test_acc:.4f}")
