import numpy as np
import torch
from torch import nn

torch.manual_seed(6)

T, F_IN, E, HEADS = 12, 3, 16, 4


def make(n, seed):
    rng = np.random.default_rng(seed)
    value = rng.uniform(-1, 1, size=(n, T))
    flag = (rng.random((n, T)) < 0.35).astype(float)
    flag[np.arange(n), rng.integers(0, T, n)] = 1.0
    noise = rng.normal(size=(n, T))
    x = np.stack([value, flag, noise], -1).astype("float32")
    mean = (value * flag).sum(1, keepdims=True) / flag.sum(1, keepdims=True)
    return x, np.where(value > mean, 1.0, 0.0).astype("float32")


x_train, y_train = map(torch.from_numpy, make(1024, 31))
x_test, y_test = map(torch.from_numpy, make(512, 32))


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(F_IN, E)
        self.attn = nn.MultiheadAttention(E, HEADS, batch_first=True)
        self.hidden = nn.Linear(E, 32)
        self.out = nn.Linear(32, 1)
        for lin in (self.embed, self.hidden, self.out, self.attn.out_proj):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        nn.init.xavier_uniform_(self.attn.in_proj_weight)
        nn.init.zeros_(self.attn.in_proj_bias)

    def forward(self, x):
        h = self.embed(x)
        a, _ = self.attn(h, h, h, need_weights=False)
        h = torch.relu(self.hidden(h + a))
        return self.out(h).squeeze(-1)


model = Tagger()
opt = torch.optim.Adam(model.parameters(), lr=0.005, betas=(0.9, 0.999), eps=1e-12)
bce = nn.BCEWithLogitsLoss()

# train
for epoch in range(18):
    model.train()
    perm = torch.randperm(len(x_train))
    for s in range(0, len(perm), 32):
        i = perm[s:s + 32]
        opt.zero_grad()
        bce(model(x_train[i]), y_train[i]).backward()
        opt.step()

model.eval()
with torch.no_grad():
    z = model(x_test)
print("test loss %.4f" % bce(z, y_test).item())
print("test token accuracy %.4f" % ((z > 0) == (y_test > 0.5)).float().mean().item())
