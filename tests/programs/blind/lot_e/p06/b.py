import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(15)

rng = np.random.RandomState(44)
n, steps = 800, 16
seqs = 0.3 * rng.randn(n, steps, 3)
goal = 2 + 0.5 * seqs[:, :, 0].sum(axis=1) + np.abs(seqs[:, -6:, 1]).mean(axis=1)
seqs = seqs.astype("float32")
goal = goal.astype("float32")[:, None]
s_train, g_train, s_test, g_test = seqs[:640], goal[:640], seqs[640:], goal[640:]


class Adder(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.rnn = nn.LSTM(3, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.zeros_(self.rnn.bias_ih_l0)
        nn.init.zeros_(self.rnn.bias_hh_l0)
        with torch.no_grad():
            self.rnn.bias_ih_l0[hidden:2 * hidden] = 1.0
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, s):
        _, (h, _) = self.rnn(s)
        return self.fc(h[0])


model = Adder()
loader = DataLoader(TensorDataset(torch.from_numpy(s_train), torch.from_numpy(g_train)),
                    batch_size=32, shuffle=True)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
mse = nn.MSELoss()
for epoch in range(20):
    acc = 0.0
    for s, g in loader:
        opt.zero_grad()
        loss = mse(model(s), g)
        loss.backward()
        opt.step()
        acc += loss.item() * len(s)
    print(f"{epoch:2d} {acc / len(s_train):.5f}")
with torch.no_grad():
    p = model(torch.from_numpy(s_test)).numpy()
print("test mse", float(((p - g_test) ** 2).mean()))
