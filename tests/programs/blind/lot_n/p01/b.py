import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 4
WIDTH = 32
BLOCKS = 4
BATCH = 40
EPOCHS = 10

rng = np.random.default_rng(101)
X = rng.normal(size=(1500, 16)).astype("float32")
w1 = rng.normal(size=(16, 24)) / 4.0
w2 = rng.normal(size=(24, 4))
score = np.tanh(2.0 * X @ w1) @ w2
y = score.argmax(1).astype("int64")
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

torch.manual_seed(SEED)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width, eps=1e-5)

    def forward(self, h):
        return h + self.norm(self.down(torch.relu(self.up(h))))


class ResMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(16, WIDTH)
        self.blocks = nn.Sequential(*[Block(WIDTH) for _ in range(BLOCKS)])
        self.head = nn.Linear(WIDTH, 4)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)
            elif isinstance(m, nn.LayerNorm):
                nn.init.zeros_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)))


model = ResMLP()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=False)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    logits = model(torch.from_numpy(X_test))
    test_loss = criterion(logits, torch.from_numpy(y_test)).item()
print(f"test loss {test_loss:.4f} accuracy {(logits.argmax(1).numpy() == y_test).mean():.4f}")
