import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
torch.manual_seed(45)

T, UNITS, BATCH, EPOCHS = 16, 24, 50, 14


def recall_task(n, seed):
    """The sign pattern shown in the first two steps must be recalled at the end."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, (n, T, 3))
    bits = rng.integers(0, 2, (n, 2))
    x[:, 0, 0] = 2 * bits[:, 0] - 1
    x[:, 1, 0] = 2 * bits[:, 1] - 1
    x[:, :, 2] = 0.0
    x[:, :2, 2] = 1.0
    return torch.from_numpy(x.astype("float32")), torch.from_numpy(2 * bits[:, 0] + bits[:, 1])


x_train, y_train = recall_task(1000, 0)
x_test, y_test = recall_task(400, 1)


def hard_sigmoid(x):
    return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


class HardLSTM(nn.Module):
    """LSTM with piecewise linear gates, returns the last hidden state."""

    def __init__(self, inputs, units):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(torch.empty(4 * units, inputs))
        self.recurrent = nn.Parameter(torch.empty(4 * units, units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent)
        self.bias.data[units:2 * units] = 1.0

    def forward(self, x):
        h = x.new_zeros(len(x), self.units)
        c = x.new_zeros(len(x), self.units)
        for xt in x.unbind(1):
            z = xt @ self.kernel.T + h @ self.recurrent.T + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = hard_sigmoid(f) * c + hard_sigmoid(i) * torch.tanh(g)
            h = hard_sigmoid(o) * torch.tanh(c)
        return h


model = nn.Sequential(HardLSTM(3, UNITS), nn.Linear(UNITS, 4))
nn.init.xavier_uniform_(model[1].weight)
nn.init.zeros_(model[1].bias)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    total = 0.0
    for rows in torch.randperm(len(x_train)).split(BATCH):
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

with torch.no_grad():
    logits = model(x_test)
    print(f"test loss {loss_fn(logits, y_test).item():.4f}")
    print(f"test accuracy {(logits.argmax(1) == y_test).float().mean().item():.4f}")
