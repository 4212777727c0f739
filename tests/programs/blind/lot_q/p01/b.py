"""Which symbol was strongest in a noisy sequence? LSTM classifier, PyTorch."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LENGTH, SYMBOLS, UNITS = 16, 4, 24


def sequences():
    rng = np.random.RandomState(1234)
    n = 1536
    label = rng.randint(0, SYMBOLS, size=n)
    x = 0.3 * rng.randn(n, LENGTH, SYMBOLS)
    for k in range(2):
        x[np.arange(n), k, label] += 1.0
    x[np.arange(n), -1, label] += 0.3
    return x.astype("float32"), label.astype("int64")


x, y = sequences()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_tr, y_tr, x_va, y_va = x[:1024], y[:1024], x[1024:], y[1024:]


class Recall(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(SYMBOLS, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, SYMBOLS)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)  # one bias vector per gate
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, seq):
        states, _ = self.lstm(seq)
        return self.out(states[:, -1])


torch.manual_seed(9)
model = Recall()
opt = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3, eps=1e-10)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)

for epoch in range(10):
    model.train()
    total, right = 0.0, 0
    for xb, yb in loader:
        opt.zero_grad()
        logits = model(xb)
        loss = criterion(logits, yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
        right += (logits.argmax(1) == yb).sum().item()
    print(f"epoch {epoch + 1}: loss {total / len(y_tr):.4f} acc {right / len(y_tr):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_va)
    print(f"validation loss {criterion(logits, y_va).item():.4f} "
          f"accuracy {(logits.argmax(1) == y_va).float().mean().item():.4f}")
