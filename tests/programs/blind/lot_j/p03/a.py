import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEQ, HIDDEN, BATCH, EPOCHS = 16, 24, 32, 12

rng = np.random.default_rng(99)


def sequences(n):
    level = rng.normal(size=(n, 1))
    noise = rng.normal(size=(n, SEQ))
    s = np.zeros((n, SEQ))
    s[:, 0] = noise[:, 0]
    for t in range(1, SEQ):
        s[:, t] = 0.7 * s[:, t - 1] + 0.7 * noise[:, t]
    s = s + level
    d = np.concatenate([np.zeros((n, 1)), np.diff(s, axis=1)], axis=1)
    target = s.mean(axis=1) + 0.5 * s[:, -4:].max(axis=1)
    return np.stack([s, d], axis=2).astype(np.float32), target.astype(np.float32)[:, None]


x_train, y_train = sequences(1024)
x_val, y_val = sequences(256)

torch.manual_seed(0)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=2, hidden_size=HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.ones_(self.lstm.bias_ih_l0.data[HIDDEN:2 * HIDDEN])
        # one bias is enough
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


net = Regressor()
loss_fn = nn.MSELoss()
opt = torch.optim.Adam([p for p in net.parameters() if p.requires_grad],
                       lr=3e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)
xv, yv = torch.from_numpy(x_val), torch.from_numpy(y_val)

for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    net.eval()
    with torch.no_grad():
        val = sum(loss_fn(net(xv[i:i + BATCH]), yv[i:i + BATCH]).item() * BATCH
                  for i in range(0, len(xv), BATCH)) / len(xv)
    print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f} val_loss {val:.4f}")
