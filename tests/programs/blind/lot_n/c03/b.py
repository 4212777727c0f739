import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 21
HIDDEN = 24
BATCH = 40
EPOCHS = 12


def make_data(n, rng):
    t = np.arange(24)
    freq = rng.uniform(0.15, 0.6, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    amp = rng.uniform(0.5, 1.5, (n, 1))
    clean = amp * np.sin(freq * np.arange(25) + phase)
    x = clean[:, :24] + rng.normal(0, 0.05, (n, 24))
    x2 = np.cos(freq * t) * 0.5
    seq = np.stack([x, x2], axis=2).astype("float32")
    return seq, clean[:, 24:25].astype("float32")


rng = np.random.default_rng(7)
X_train, y_train = make_data(1000, rng)
X_test, y_test = make_data(300, rng)

torch.manual_seed(SEED)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        with torch.no_grad():
            self.lstm.bias_ih_l0[HIDDEN:2 * HIDDEN] = 1.0
        # a single trainable bias per gate
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


model = Forecaster()
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adam(params, lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
criterion = nn.MSELoss()
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
    scheduler.step()
    print(f"epoch {epoch + 1}: loss {total / len(X_train):.5f}")

model.eval()
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).numpy()
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
