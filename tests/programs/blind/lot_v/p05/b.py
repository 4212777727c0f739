"""Digits: one conv layer, a fixed low-frequency cosine summary of its maps, a linear classifier."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

MAPS, SIDE, FREQS = 12, 8, 3
EPOCHS, BATCH = 12, 64


def cosine_summary():
    """Constant matrix: flattened maps -> FREQS x FREQS cosine coefficients of each map."""
    k = np.arange(FREQS)[:, None]
    pos = np.arange(SIDE)[None, :]
    basis = np.cos(np.pi * k * (2 * pos + 1) / (2 * SIDE)) * np.sqrt(2.0 / SIDE)
    basis[0] /= np.sqrt(2.0)
    m = np.einsum("uh,vw,cd->hwcuvd", basis, basis, np.eye(MAPS))
    return m.reshape(SIDE * SIDE * MAPS, FREQS * FREQS * MAPS).astype(np.float32)


def load():
    d = load_digits()
    x = (d.images / 16.0).astype(np.float32)
    p = np.random.default_rng(17).permutation(len(x))
    return x[p[:1408]], d.target[p[:1408]], x[p[1408:]], d.target[p[1408:]]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, MAPS, 3, padding=1)
        self.summary = nn.Linear(SIDE * SIDE * MAPS, FREQS * FREQS * MAPS, bias=False)
        self.out = nn.Linear(FREQS * FREQS * MAPS, 10)
        for layer in (self.conv, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.summary.weight.copy_(torch.from_numpy(cosine_summary().T.copy()))
        self.summary.weight.requires_grad_(False)

    def forward(self, x):
        maps = torch.relu(self.conv(x))
        return self.out(self.summary(maps.flatten(1)))


def main():
    torch.manual_seed(12)
    xtr, ytr, xte, yte = (torch.from_numpy(a) for a in load())
    xtr, xte = xtr.unsqueeze(1), xte.unsqueeze(1)
    net = Net()
    ce = nn.CrossEntropyLoss()
    opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.02, momentum=0.9)
    for epoch in range(1, EPOCHS + 1):
        net.train()
        total = 0.0
        for idx in torch.randperm(len(xtr)).split(BATCH):
            opt.zero_grad()
            loss = ce(net(xtr[idx]), ytr[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch}: {total / len(xtr):.4f}")
    net.eval()
    with torch.no_grad():
        out = net(xte)
        acc = (out.argmax(1) == yte).float().mean().item()
        print(f"test: loss {ce(out, yte).item():.4f}, accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
