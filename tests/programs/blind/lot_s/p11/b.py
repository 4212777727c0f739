import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(72)


WINDOW = 24


def make_data(length=1100):
    rng = np.random.default_rng(3)
    s = np.zeros(length)
    noise = rng.normal(size=length)
    for t in range(12, length):
        s[t] = 0.55 * s[t - 1] - 0.5 * s[t - 6] + 0.3 * np.tanh(2 * s[t - 12]) + 0.35 * noise[t]
    s = ((s - s.mean()) / s.std()).astype("float32")
    x = np.stack([s[i:i + WINDOW] for i in range(length - WINDOW)])[..., None]
    return x, s[WINDOW:, None]


class Forecaster(nn.Module):
    def __init__(self, hidden=20):
        super().__init__()
        self.gru = nn.GRU(input_size=1, hidden_size=hidden)
        self.head = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1])


x, y = make_data()
x, y = torch.from_numpy(x), torch.from_numpy(y)
x_train, y_train, x_test, y_test = x[:864], y[:864], x[864:], y[864:]
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=48, shuffle=True)

model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-12)
criterion = nn.MSELoss()

for epoch in range(12):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    model.eval()
    with torch.no_grad():
        val = criterion(model(x_test), y_test).item()
    print(f"Epoch {epoch + 1}/12 loss {total / len(x_train):.4f} val_loss {val:.4f}")
