import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
T, H, BATCH, EPOCHS = 12, 16, 128, 60


def sequences(n, seed):
    rng = np.random.default_rng(seed)
    period = np.linspace(14.0, 3.0, n)[:, None]           # recorded while the drive speeds up
    t = rng.uniform(0, 2 * np.pi, (n, 1)) + 2 * np.pi * np.arange(T + 1) / period
    s = np.sin(t) + 0.05 * rng.standard_normal((n, T + 1))
    return torch.from_numpy(s[:, :T].astype("float32")), torch.from_numpy(s[:, T:].astype("float32"))


X, y = sequences(330, 14)
Xv, yv = sequences(200, 15)
torch.manual_seed(8)


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.wx = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, H)))
        self.wh = nn.Parameter(nn.init.xavier_uniform_(torch.empty(H, H)))
        self.bh = nn.Parameter(torch.zeros(H))
        self.wo = nn.Parameter(nn.init.xavier_uniform_(torch.empty(H, 1)))
        self.bo = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for t in range(T):
            h = torch.tanh(x[:, t:t + 1] @ self.wx + h @ self.wh + self.bh)
        return h @ self.wo + self.bo


rnn = Cell()
opt = torch.optim.Adam(rnn.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
for epoch in range(1, EPOCHS + 1):
    ls = []
    for bx, by in zip(X.split(BATCH), y.split(BATCH)):
        loss = ((rnn(bx) - by) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        ls.append(loss.item())
    if epoch % 5 == 0:
        with torch.no_grad():
            print(f"epoch {epoch} train {np.mean(ls):.4f} valid {((rnn(Xv) - yv) ** 2).mean().item():.4f}")
