"""Sound events from small spectrograms: convolutional network in PyTorch."""
import numpy as np
import torch
from torch import nn

CLASSES, SIZE = 5, 24


def make_data(n=1500):
    rng = np.random.default_rng(88)
    f = np.arange(SIZE)[:, None]
    t = np.arange(SIZE)[None, :]
    x = np.zeros((n, SIZE, SIZE))
    y = rng.integers(0, CLASSES, n)
    for i in range(n):
        f0, slope = rng.uniform(5, 18), rng.uniform(0.3, 0.6)
        t0 = rng.uniform(8, 16)
        if y[i] == 0:                                           # rising chirp
            line = f0 + slope * (t - t0)
        elif y[i] == 1:                                         # falling chirp
            line = f0 - slope * (t - t0)
        elif y[i] == 2:                                         # steady tone
            line = f0 + 0 * t
        elif y[i] == 3:                                         # warble
            line = f0 + 2.5 * np.sin(2 * np.pi * t / rng.uniform(7, 11))
        else:                                                   # click
            line = None
        x[i] = np.exp(-(f - line) ** 2 / 2) if line is not None else np.exp(-(t - t0) ** 2 / 2) + 0 * f
        x[i] += 0.35 * rng.normal(size=(SIZE, SIZE))
    x = ((x - x.mean()) / x.std()).astype("float32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


class SoundNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(4, 8, eps=1e-5)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(4, 16, eps=1e-5)
        self.conv3 = nn.Conv2d(16, 24, 3)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(24, CLASSES)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_uniform_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.conv3.bias)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.pool(torch.relu(self.norm2(self.conv2(x))))
        x = torch.relu(self.conv3(x))
        return self.head(self.drop(x.mean(dim=(2, 3))))


def main():
    torch.manual_seed(70)
    x, y, xt, yt = make_data()
    x, xt = torch.from_numpy(x).unsqueeze(1), torch.from_numpy(xt).unsqueeze(1)
    y, yt = torch.from_numpy(y), torch.from_numpy(yt)
    net = SoundNet()
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=40, shuffle=True)
    for epoch in range(10):
        net.train()
        total = 0.0
        for bx, by in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(bx), by)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(by)
        print(f"epoch {epoch + 1} loss {total / len(x):.4f}")
    net.eval()
    with torch.no_grad():
        logits = net(xt)
        print(f"test loss {criterion(logits, yt).item():.4f} accuracy {(logits.argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
