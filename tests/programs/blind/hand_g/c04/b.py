"""One-step-ahead forecast of a noisy oscillation: LSTM cell, clipping and RMSprop spelled out in PyTorch."""
import numpy as np
import torch

SEED = 8
torch.manual_seed(SEED)

rs = np.random.RandomState(2024)
t = np.arange(1700)
series = np.sin(0.21 * t) + 0.6 * np.sin(0.053 * t + 1.0) + 0.1 * rs.randn(len(t))
WINDOW = 24
windows = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)]).astype("float32")[..., None]
nexts = series[WINDOW:].astype("float32")[:, None]
x_train, y_train = torch.from_numpy(windows[:1280]), torch.from_numpy(nexts[:1280])
x_test, y_test = torch.from_numpy(windows[1300:]), torch.from_numpy(nexts[1300:])

H = 24


class Forecaster(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.empty(1, 4 * H))
        self.recurrent = torch.nn.Parameter(torch.empty(H, 4 * H))
        self.bias = torch.nn.Parameter(torch.zeros(4 * H))        # one bias; gates in the order i, f, c, o
        torch.nn.init.xavier_uniform_(self.kernel)
        torch.nn.init.orthogonal_(self.recurrent)
        with torch.no_grad():
            self.bias[H:2 * H] = 1.0
        self.out_w = torch.nn.Parameter(torch.empty(H, 1))
        self.out_b = torch.nn.Parameter(torch.zeros(1))
        torch.nn.init.xavier_uniform_(self.out_w)

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        c = x.new_zeros(len(x), H)
        for step in range(x.shape[1]):
            z = x[:, step] @ self.kernel + h @ self.recurrent + self.bias
            i, f, g, o = z.chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h @ self.out_w + self.out_b


model = Forecaster()
params = list(model.parameters())
mean_square = [torch.zeros_like(p) for p in params]
LR, RHO, EPS, CLIP = 2e-3, 0.9, 1e-7, 0.5


def mse(pred, y):
    return ((pred - y) ** 2).mean()


def update():
    with torch.no_grad():
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in params))
        scale = CLIP / norm if norm > CLIP else 1.0
        for p, v in zip(params, mean_square):
            g = p.grad * scale
            v.copy_(RHO * v + (1 - RHO) * g * g)
            p -= LR * g / torch.sqrt(v + EPS)


# training
for epoch in range(14):
    perm = torch.randperm(len(x_train))
    total = 0.0
    for k in range(0, len(perm), 64):
        idx = perm[k:k + 64]
        loss = mse(model(x_train[idx]), y_train[idx])
        model.zero_grad()
        loss.backward()
        update()
        total += loss.item() * len(idx)
    print("epoch %d loss %.5f" % (epoch + 1, total / len(perm)))

with torch.no_grad():
    print("test mse: %.5f" % mse(model(x_test), y_test).item())
