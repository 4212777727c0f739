"""Fine-tune a pretrained self-attention block (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

E, H, T = 16, 4, 10
EPOCHS = 12


def softmax(z):
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def make_problem(seed=5):
    rng = np.random.RandomState(seed)
    true = {k: rng.normal(scale=s / np.sqrt(E), size=(E, E)) for k, s in
            (("q", 1.6), ("k", 1.6), ("v", 1.2), ("o", 1.2))}
    x = rng.normal(size=(1500, T, E))
    q, k, v = (x @ true[n].T for n in "qkv")
    split = lambda a: a.reshape(-1, T, H, E // H).transpose(0, 2, 1, 3)
    q, k, v = split(q), split(k), split(v)
    att = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(E // H)) @ v
    ctx = att.transpose(0, 2, 1, 3).reshape(-1, T, E) @ true["o"].T
    y = np.tanh(ctx) @ rng.normal(size=(E, 2)) / 2 + 0.05 * rng.normal(size=(1500, T, 2))
    pretrained = {n: (m + 0.06 * rng.normal(size=m.shape)).astype("float32") for n, m in true.items()}
    return x.astype("float32"), y.astype("float32"), pretrained


x, y, pretrained = make_problem()
x_train, y_train = torch.from_numpy(x[:1200]), torch.from_numpy(y[:1200])
x_test, y_test = torch.from_numpy(x[1200:]), torch.from_numpy(y[1200:])

torch.manual_seed(1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.mha = nn.MultiheadAttention(E, H, batch_first=True)
        self.head = nn.Linear(E, 2)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            packed = np.concatenate([pretrained["q"], pretrained["k"], pretrained["v"]])
            self.mha.in_proj_weight.copy_(torch.from_numpy(packed))
            self.mha.in_proj_bias.zero_()
            self.mha.out_proj.weight.copy_(torch.from_numpy(pretrained["o"]))
            self.mha.out_proj.bias.zero_()

    def forward(self, x):
        ctx, _ = self.mha(x, x, x, need_weights=False)
        return self.head(torch.tanh(ctx))


model = Block()
mse = nn.MSELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
for epoch in range(EPOCHS):
    running = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        running += loss.item() * len(xb)
    print(f"epoch {epoch + 1} train mse {running / len(x_train):.5f}")
with torch.no_grad():
    print(f"test mse {mse(model(x_test), y_test).item():.5f}")
