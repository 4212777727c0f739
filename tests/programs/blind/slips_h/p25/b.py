# adding problem with a GRU
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(7)

T, N_TRAIN, N_TEST = 10, 1000, 300
rng = np.random.default_rng(99)


def make(n):
    values = rng.uniform(0, 1, size=(n, T))
    marks = np.zeros((n, T))
    for row in range(n):
        marks[row, rng.choice(T, size=2, replace=False)] = 1.0
    x = np.stack([values, marks], axis=-1).astype(np.float32)
    y = (values * marks).sum(axis=1, keepdims=True).astype(np.float32)
    return x, y


x_train, y_train = map(torch.from_numpy, make(N_TRAIN))
x_test, y_test = map(torch.from_numpy, make(N_TEST))


class Adder(nn.Module):
    def __init__(self, units=24):
        super().__init__()
        self.gru = nn.GRU(2, units, batch_first=True)
        self.head = nn.Linear(units, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        _, last = self.gru(x)
        return self.head(last[0])


model = Adder()
optim = torch.optim.Adam(model.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
dataset = torch.utils.data.TensorDataset(x_train, y_train)
for epoch in range(1, 21):
    running = 0.0
    for xb, yb in torch.utils.data.DataLoader(dataset, batch_size=40, shuffle=True):
        loss = F.mse_loss(model(xb), yb)
        loss.backward()
        optim.step()
        running += loss.item() * len(xb)
    print(f"Epoch {epoch}/20 loss: {running / N_TRAIN:.4f}")
with torch.no_grad():
    print("test mse", F.mse_loss(model(x_test), y_test).item())
