import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STEPS, FEATURES, UNITS, BATCH, EPOCHS = 16, 5, 24, 30, 12


def machines(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.randn(n, STEPS, FEATURES)
    drift = np.cumsum(x[:, :, 0], 1)[:, -1] / 4.0
    late = x[:, -5:, 1].mean(1) * 2.0
    y = (drift - late + 0.2 * rng.randn(n)) > 0
    return x.astype("float32"), y.astype("float32").reshape(-1, 1)


x_train, y_train = machines(700, 60)
x_test, y_test = machines(400, 61)

torch.manual_seed(33)


class FailureLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 1)
        with torch.no_grad():
            nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
            nn.init.orthogonal_(self.lstm.weight_hh_l0)
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_ih_l0[UNITS:2 * UNITS] = 1.0
            self.lstm.bias_hh_l0.zero_()
            nn.init.xavier_uniform_(self.head.weight)
            nn.init.zeros_(self.head.bias)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


model = FailureLSTM()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)

# training
params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.Adagrad(params, lr=0.05, initial_accumulator_value=0.1, eps=1e-10)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(EPOCHS):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    logit = model(torch.from_numpy(x_test))
    t = torch.from_numpy(y_test)
    print(f"test loss {criterion(logit, t).item():.4f} acc {((logit > 0) == (t > 0.5)).float().mean().item():.4f}")
