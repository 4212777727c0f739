import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HID = 20


def waves(n, rng):
    y = rng.integers(0, 3, size=n)
    t = np.arange(24)
    freq = np.array([0.5, 0.62, 0.75])[y][:, None]
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    s = np.sin(freq * t + phase) + rng.normal(scale=0.3, size=(n, 24))
    c = np.cos(freq * t + phase) + rng.normal(scale=0.3, size=(n, 24))
    return np.stack([s, c], -1).astype("float32"), y.astype("int64")


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, HID, batch_first=True)
        self.head = nn.Linear(HID, 3)
        nn.init.xavier_uniform_(self.lstm.weight_ih_l0)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        nn.init.zeros_(self.lstm.bias_ih_l0)
        nn.init.zeros_(self.lstm.bias_hh_l0)
        self.lstm.bias_hh_l0.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


def build():
    return Classifier()


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(12)
    x, y = map(torch.from_numpy, waves(600, rng))
    xt, yt = map(torch.from_numpy, waves(300, rng))
    net = build()
    opt = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=4e-3, eps=1e-12)
    ce = nn.CrossEntropyLoss()
    dl = DataLoader(TensorDataset(x, y), batch_size=30, shuffle=True)
    for epoch in range(15):
        net.train()
        for xb, yb in dl:
            loss = ce(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        print("train ce %.4f" % ce(net(x), y).item())
        out = net(xt)
        print("test ce %.4f acc %.3f" % (ce(out, yt).item(), (out.argmax(1) == yt).float().mean().item()))


if __name__ == "__main__":
    main()
