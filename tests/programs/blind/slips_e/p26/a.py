"""Sequence classification with one pre-norm transformer block (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

T, D, HEADS, FF, CLASSES = 20, 32, 4, 64, 3
EPOCHS, BATCH, N_TRAIN = 12, 40, 900


def make_data():
    """Class = number of bumps (1, 2 or 3) hidden in noise."""
    rng = np.random.default_rng(303)
    n = 1200
    y = rng.integers(0, CLASSES, n)
    x = 0.3 * rng.standard_normal((n, T, 2))
    for i in range(n):
        where = rng.choice(T, y[i] + 1, replace=False)
        x[i, where, 0] += 2.0
        x[i, where, 1] -= 1.0
    x, y = x.astype(np.float32), y.astype(np.int64)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos = np.arange(T)[:, None] / 10000 ** (2 * np.arange(D // 2)[None, :] / D)
    return np.concatenate([np.sin(pos), np.cos(pos)], axis=1).astype(np.float32)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("positions", torch.from_numpy(positions()))
        self.embed = nn.Linear(2, D)
        self.norm1 = nn.LayerNorm(D, eps=1e-5)
        self.attn = nn.MultiheadAttention(D, HEADS, dropout=0.0, bias=False, batch_first=True)
        self.norm2 = nn.LayerNorm(D, eps=1e-5)
        self.ff1 = nn.Linear(D, FF)
        self.ff2 = nn.Linear(FF, D)
        self.norm3 = nn.LayerNorm(D, eps=1e-5)
        self.head = nn.Linear(D, CLASSES)
        self.drop1 = nn.Dropout(0.1)
        self.drop2 = nn.Dropout(0.1)
        for layer in (self.embed, self.ff1, self.ff2, self.head):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        for part in self.attn.in_proj_weight.chunk(3):  # query, key, value one by one
            nn.init.xavier_uniform_(part)
        nn.init.xavier_uniform_(self.attn.out_proj.weight)

    def forward(self, x):
        x = self.embed(x) + self.positions
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, need_weights=False)
        x = x + self.drop1(h)
        h = self.ff2(F.gelu(self.ff1(self.norm2(x))))
        x = x + self.drop2(h)
        return self.head(self.norm3(x).mean(dim=1))


def make_optimizer(model):
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-12, weight_decay=0.02)
    steps = EPOCHS * -(-N_TRAIN // BATCH)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)


def train_step(model, optimizer, scheduler, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    return loss


def main():
    torch.manual_seed(5)
    torch.set_num_threads(1)
    x_train, y_train, x_test, y_test = map(torch.from_numpy, make_data())
    model = Classifier()
    optimizer, scheduler = make_optimizer(model)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)
    for epoch in range(EPOCHS):
        model.train()
        total = 0.0
        for x, y in loader:
            total += train_step(model, optimizer, scheduler, x, y).item() * len(x)
        print(f"epoch {epoch + 1:2d}  loss {total / N_TRAIN:.4f}")
    with torch.no_grad():
        logits = model(x_test)
        print(f"test loss {F.cross_entropy(logits, y_test).item():.4f}  "
              f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
