import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

K = 8


def load():
    rng = np.random.default_rng(101)
    x = rng.normal(size=(1600, 12))
    w1, w2 = rng.normal(size=(12, 16)) / np.sqrt(12), rng.normal(size=(16, K))
    z = np.tanh(1.5 * x @ w1) @ w2 * 0.7
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    x, p = x.astype("float32"), p.astype("float32")
    return x[:1200], p[:1200], x[1200:], p[1200:]


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(12, 40)
        self.l2 = nn.Linear(40, 40)
        self.l3 = nn.Linear(40, K)
        for m in (self.l1, self.l2, self.l3):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = torch.tanh(self.l1(x))
        x = torch.tanh(self.l2(x))
        return F.log_softmax(self.l3(x), dim=1)


def build():
    return Student()


def main():
    torch.manual_seed(1)
    x, p, xt, pt = map(torch.from_numpy, load())
    model = build()
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    kl = nn.KLDivLoss()
    for epoch in range(12):
        model.train()
        for idx in torch.randperm(len(x)).split(40):
            opt.zero_grad()
            loss = kl(model(x[idx]), p[idx])
            loss.backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        for name, xs, ps in (("train", x, p), ("test", xt, pt)):
            out = model(xs)
            agree = (out.argmax(1) == ps.argmax(1)).float().mean().item()
            print("%s kl %.4f top-1 agreement %.3f" % (name, kl(out, ps).item(), agree))


if __name__ == "__main__":
    main()
