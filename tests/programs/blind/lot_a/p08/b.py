import numpy as np
import torch
from torch import nn

T, F_IN, H = 14, 3, 24


def load():
    rng = np.random.default_rng(9)
    x = rng.normal(scale=0.5, size=(1000, T, F_IN))
    y = rng.integers(0, 2, size=(1000, 1))
    pos = rng.integers(0, 6, size=1000)
    x[np.arange(1000), pos, 0] += np.where(y[:, 0] == 1, 2.0, -2.0)
    x, y = x.astype("float32"), y.astype("float32")
    return x[:700], y[:700], x[700:], y[700:]


def start_weights(seed):
    """Starting weights of the recurrent layer."""
    rng = np.random.default_rng(seed)
    lim = np.sqrt(6.0 / (F_IN + 3 * H))
    kernel = rng.uniform(-lim, lim, size=(F_IN, 3 * H))
    recurrent = np.linalg.qr(rng.normal(size=(3 * H, H)))[0].T
    bias = np.zeros((2, 3 * H))
    bias[0, :H] = 2.5
    return [w.astype("float32") for w in (kernel, recurrent, bias)]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(F_IN, H, batch_first=True)
        self.head = nn.Linear(H, 1)
        kernel, recurrent, bias = map(torch.from_numpy, start_weights(1234))
        with torch.no_grad():
            self.gru.weight_ih_l0.copy_(kernel.T)
            self.gru.weight_hh_l0.copy_(recurrent.T)
            self.gru.bias_ih_l0.copy_(bias[0])
            self.gru.bias_hh_l0.copy_(bias[1])
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1])


def build():
    return Net()


def main():
    torch.manual_seed(0)
    x, y, xt, yt = map(torch.from_numpy, load())
    model = build()
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(15):
        model.train()
        for idx in torch.randperm(len(x)).split(50):
            opt.zero_grad()
            loss = bce(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        for name, xs, ys in (("train", x, y), ("test", xt, yt)):
            out = model(xs)
            acc = ((out > 0) == (ys > 0.5)).float().mean().item()
            print("%s bce %.4f acc %.4f" % (name, bce(out, ys).item(), acc))


if __name__ == "__main__":
    main()
