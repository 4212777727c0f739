import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LENGTH, UNITS, EPOCHS, BATCH = 24, 32, 14, 40


def sequences(n, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, size=(n, LENGTH))
    flag = np.zeros((n, LENGTH))
    first = rng.integers(0, LENGTH // 2, size=n)
    second = rng.integers(LENGTH // 2, LENGTH, size=n)
    rows = np.arange(n)
    flag[rows, first] = 1.0
    flag[rows, second] = 1.0
    target = values[rows, first] + values[rows, second]
    return (np.stack([values, flag], axis=2).astype("float32"),
            target[:, None].astype("float32"))


x_train, y_train = map(torch.from_numpy, sequences(1200, 13))
x_test, y_test = map(torch.from_numpy, sequences(400, 14))

torch.manual_seed(2)


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        _, last = self.gru(x)
        return self.head(last[-1])


model = Adder()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)
criterion = nn.MSELoss()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d} mse {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    print(f"test mse {criterion(model(x_test), y_test).item():.4f}")
