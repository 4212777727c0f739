"""Tagging the steps of padded sensor recordings: dilated convolutions, PyTorch."""
import numpy as np
import torch
from torch import nn

PAD = -100
T = 32


def recordings(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, T, 4))
    x[:, :, 0] += np.repeat(rng.normal(size=(n, T // 8)), 8, axis=1)
    length = rng.integers(12, T + 1, size=n)
    pad = np.arange(T)[None, :] >= length[:, None]
    x[pad] = 0.0
    k = np.ones(5) / 5
    smooth = np.stack([np.convolve(r, k, mode="same") for r in x[:, :, 0]])
    side = np.roll(x[:, :, 1], 1, axis=1)
    side[:, 0] = 0.0
    y = np.where(smooth > 0.35, 2, np.where(side * x[:, :, 2] > 0, 1, 0))
    y[pad] = PAD
    return x.astype(np.float32), y.astype(np.int64)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(4, 24, 5, padding=2)
        self.c2 = nn.Conv1d(24, 24, 3, padding=2, dilation=2)
        self.head = nn.Conv1d(24, 3, 1)
        for m in (self.c1, self.c2, self.head):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.relu(self.c1(x.transpose(1, 2)))
        h = h + torch.tanh(self.c2(h))
        return self.head(h)  # (B, 3, T)


def main():
    torch.manual_seed(1)
    x, y = map(torch.from_numpy, recordings(900, 60))
    xt, yt = map(torch.from_numpy, recordings(300, 61))
    net = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    opt = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-8)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.9)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=40, shuffle=True)
    for epoch in range(15):
        total = 0.0
        for xb, yb in loader:
            loss = criterion(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        sched.step()
        print(f"epoch {epoch + 1} loss {total / len(x):.4f}")
    net.eval()
    with torch.no_grad():
        out = net(xt)
        ok = (out.argmax(1) == yt)[yt != PAD].float().mean().item()
        print(f"test loss {criterion(out, yt).item():.4f} step accuracy {ok:.4f}")


if __name__ == "__main__":
    main()
