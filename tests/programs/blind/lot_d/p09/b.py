import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(61)
DIM, BLOCKS, BATCH, EPOCHS = 32, 6, 60, 10

raw = load_digits()
perm = np.random.RandomState(9).permutation(len(raw.target))
x = torch.from_numpy((raw.images[perm] / 16.0).astype("float32"))
y = torch.from_numpy(raw.target[perm].astype("int64"))
x_train, y_train, x_test, y_test = x[:1500], y[:1500], x[1500:], y[1500:]


class FeedForward(nn.Module):
    def __init__(self, dim, expansion):
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=1e-5)
        self.up = nn.Linear(dim, dim * expansion)
        self.down = nn.Linear(dim * expansion, dim)
        for layer in (self.up, self.down):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, h):
        return h + self.down(F.gelu(self.up(self.norm(h))))


model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, DIM),
    *[FeedForward(DIM, 3) for _ in range(BLOCKS)],
    nn.LayerNorm(DIM, eps=1e-5),
    nn.Linear(DIM, 10),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    model.train()
    order = torch.randperm(len(x_train))
    mean = 0.0
    for rows in order.split(BATCH):
        loss = F.cross_entropy(model(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean += loss.item() * len(rows) / len(order)
    print(f"epoch {epoch + 1}: {mean:.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {F.cross_entropy(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
