"""Next-state model: linear part from least squares, refined by training (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn

DIM = 12
EPOCHS = 15
BATCH = 40


def make_data(seed=8):
    rng = np.random.RandomState(seed)
    A = np.triu(rng.normal(scale=0.5, size=(DIM, DIM))) + 0.3 * np.eye(DIM)
    state = rng.normal(size=(1000, DIM))
    nxt = state @ A + 0.6 * np.sin(state @ rng.normal(scale=0.5, size=(DIM, DIM))) + 0.05 * rng.normal(size=(1000, DIM))
    state, nxt = state.astype("float32"), nxt.astype("float32")
    return state[:800], nxt[:800], state[800:], nxt[800:]


def least_squares(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0].astype("float32")


class NextState(nn.Module):
    def __init__(self, start):
        super().__init__()
        self.linear = nn.Linear(DIM, DIM)
        self.hidden = nn.Linear(DIM, 48)
        self.out = nn.Linear(48, DIM)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(start))
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
        for layer in (self.linear, self.hidden, self.out):
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.linear(x) + self.out(torch.tanh(self.hidden(x)))


x_train, y_train, x_test, y_test = make_data()
start = least_squares(x_train, y_train)
x_train, y_train, x_test, y_test = map(torch.from_numpy, (x_train, y_train, x_test, y_test))

torch.manual_seed(50)
model = NextState(start)
loss_fn = nn.MSELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.03)

for epoch in range(EPOCHS):
    running = 0.0
    for rows in torch.randperm(len(x_train)).split(BATCH):
        opt.zero_grad()
        loss = loss_fn(model(x_train[rows]), y_train[rows])
        loss.backward()
        opt.step()
        running += loss.item() * len(rows)
    print(f"epoch {epoch + 1} mse {running / len(x_train):.5f}")
with torch.no_grad():
    print(f"test mse {loss_fn(model(x_test), y_test).item():.5f}")
