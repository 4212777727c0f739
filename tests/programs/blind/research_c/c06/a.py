# A minimal gated unit stepped by hand: following a nonlinear filter of a noise sequence (PyTorch)
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(14)
T, HIDDEN, BATCH, EPOCHS = 18, 24, 40, 22


def sequences(n, rng):
    x = rng.normal(size=(n, T, 2))
    y = np.zeros((n, T, 1))
    state = np.zeros(n)
    for t in range(T):
        gate = 1.0 / (1.0 + np.exp(-2.0 * x[:, t, 1]))
        state = gate * state + (1.0 - gate) * x[:, t, 0]
        y[:, t, 0] = state
    return x.astype(np.float32), y.astype(np.float32)


rng = np.random.default_rng(314)
x_train, y_train = map(torch.from_numpy, sequences(700, rng))
x_test, y_test = map(torch.from_numpy, sequences(200, rng))


class MGUCell(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.forget_x = nn.Linear(n_in, n_hidden)
        self.forget_h = nn.Linear(n_hidden, n_hidden, bias=False)
        self.cand_x = nn.Linear(n_in, n_hidden)
        self.cand_h = nn.Linear(n_hidden, n_hidden, bias=False)
        for w in (self.forget_x, self.cand_x):
            nn.init.xavier_uniform_(w.weight)
        for w in (self.forget_h, self.cand_h):
            nn.init.orthogonal_(w.weight)
        nn.init.ones_(self.forget_x.bias)
        nn.init.zeros_(self.cand_x.bias)

    def forward(self, x, h):
        f = torch.sigmoid(self.forget_x(x) + self.forget_h(h))
        c = torch.tanh(self.cand_x(x) + self.cand_h(f * h))
        return (1 - f) * h + f * c


class Follower(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = MGUCell(2, HIDDEN)
        self.read = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.read.weight)
        nn.init.zeros_(self.read.bias)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], HIDDEN)
        outs = []
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            outs.append(self.read(h))
        return torch.stack(outs, dim=1)


model = Follower()
criterion = nn.MSELoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, eps=1e-6, momentum=0.0, centered=False)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)


def test_mse():
    model.eval()
    with torch.no_grad():
        value = criterion(model(x_test), y_test).item()
    model.train()
    return value


print("test mse at start %.4f" % test_mse())
for epoch in range(EPOCHS):
    for xb, yb in loader:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.5)
        optimizer.step()
    if epoch % 7 == 0:
        print("epoch %d test mse %.4f" % (epoch, test_mse()))
print("test mse at end %.4f" % test_mse())
