"""Two cues, an early one and a late one, to be added up at the end. PyTorch GRU."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

T, C, H = 50, 2, 16


def make(n, rng):
    cue = rng.choice([-1.0, 1.0], size=n)
    strength = rng.uniform(0.5, 1.5, size=n)
    x = 0.2 * rng.normal(size=(n, T, C))
    when = rng.integers(0, 4, size=n)
    x[np.arange(n), when, 0] += cue * strength
    x[np.arange(n), when, 1] += 1.0
    late = rng.normal(size=n)
    x[:, T - 3, 0] += late
    target = cue * strength + 0.8 * late
    return x.astype("float32"), target.astype("float32")[:, None]


def initial_weights():
    """Kernel (C, 3H), recurrent kernel (H, 3H), biases (2, 3H), head (H, 1) and its bias."""
    rng = np.random.default_rng(99)
    kernel = rng.uniform(-0.35, 0.35, size=(C, 3 * H))
    recurrent = rng.uniform(-0.25, 0.25, size=(H, 3 * H))
    bias = np.zeros((2, 3 * H))
    bias[0, :H] = 4.0  # slow units: keep the state
    head = rng.uniform(-0.5, 0.5, size=(H, 1))
    return [w.astype("float32") for w in (kernel, recurrent, bias, head, np.zeros(1))]


data_rng = np.random.default_rng(5)
x_train, y_train = make(960, data_rng)
x_test, y_test = make(480, data_rng)


class CueNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(C, H, batch_first=True)
        self.head = nn.Linear(H, 1)
        kernel, recurrent, bias, head, head_bias = map(torch.from_numpy, initial_weights())
        with torch.no_grad():
            self.gru.weight_ih_l0.copy_(kernel.T)
            self.gru.weight_hh_l0.copy_(recurrent.T)
            self.gru.bias_ih_l0.copy_(bias[0])
            self.gru.bias_hh_l0.copy_(bias[1])
            self.head.weight.copy_(head.T)
            self.head.bias.copy_(head_bias)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1, :])


torch.manual_seed(0)
model = CueNet()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, eps=1e-10)
loss_fn = nn.MSELoss()
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=48, shuffle=True)
for e in range(12):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print("epoch", e, "mse", round(total / len(x_train), 4))
with torch.no_grad():
    print("test mse", round(loss_fn(model(torch.from_numpy(x_test)), torch.from_numpy(y_test)).item(), 4))
