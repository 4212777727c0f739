import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(14)

BATCH, EPOCHS = 50, 12


def stations(n, seed):
    """Pressure (hPa), temperature (K), dew point (K), wind (m/s), day length (min)."""
    rng = np.random.default_rng(seed)
    p, t, d, w, m = rng.normal(0, 1, (5, n))
    x = np.stack([1008 + 4.0 * p, 285 + 3.0 * t, 279 + 2.5 * d, 6 + 2.0 * w, 730 + 9.0 * m], 1)
    y = np.sin(1.3 * p) + 0.7 * t * d + 0.4 * np.tanh(w) - 0.5 * m + 0.1 * rng.normal(0, 1, n)
    return x.astype("float32"), y[:, None].astype("float32")


x_train, y_train = map(torch.from_numpy, stations(2000, 0))
x_test, y_test = map(torch.from_numpy, stations(500, 1))


class Net(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.register_buffer("mean", data.mean(0))
        self.register_buffer("std", data.var(0, unbiased=False).sqrt())
        self.fc1 = nn.Linear(5, 64)
        self.norm = nn.LayerNorm(64, eps=1e-5)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, 1)
        for m in (self.fc1, self.fc2, self.fc3):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = self.norm(torch.relu(self.fc1(x)))
        return self.fc3(torch.relu(self.fc2(x)))


model = Net(x_train)
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    total = 0.0
    for rows in torch.randperm(len(x_train)).split(BATCH):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_fn(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch + 1}/{EPOCHS} loss {total / len(x_train):.4f}")

with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
    pred = model(x_test).float()
mse = ((pred - y_test) ** 2).mean().item()
print(f"test mse {mse:.4f}  r2 {1 - mse / y_test.var(unbiased=False).item():.4f}")
