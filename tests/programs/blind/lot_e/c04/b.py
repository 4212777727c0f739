import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(8)

rs = np.random.RandomState(12)
N, T = 800, 16
t = np.arange(T)
freq = rs.uniform(0.3, 1.2, (N, 1))
phase = rs.uniform(0, 2 * np.pi, (N, 1))
wave = np.sin(freq * t + phase) + 0.1 * rs.randn(N, T)
trend = rs.uniform(-0.05, 0.05, (N, 1)) * t
seq = np.stack([wave, trend], axis=-1).astype("float32")
target = (np.sin(freq * T + phase) + 10 * trend[:, 1:2]).astype("float32")
x_tr, y_tr, x_va, y_va = seq[:640], target[:640], seq[640:], target[640:]


class Forecaster(nn.Module):
    def __init__(self, n_in=2, hidden=20):
        super().__init__()
        self.lstm = nn.LSTM(n_in, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_ih_l0.data[hidden:2 * hidden] = 1.0
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


model = Forecaster()
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
loss_fn = nn.MSELoss()
x_tr_t, y_tr_t = torch.from_numpy(x_tr), torch.from_numpy(y_tr)
losses = []
for epoch in range(20):
    perm = torch.randperm(len(x_tr_t))
    s = 0.0
    for k in range(0, len(perm), 32):
        b = perm[k:k + 32]
        loss = loss_fn(model(x_tr_t[b]), y_tr_t[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item() * len(b)
    losses.append(round(s / len(perm), 4))
print("train loss by epoch:", losses)
with torch.no_grad():
    err = model(torch.from_numpy(x_va)).numpy() - y_va
print("validation mse: %.5f" % float(np.mean(err ** 2)))
