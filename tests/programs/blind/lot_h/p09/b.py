import numpy as np
import torch
from torch import nn

BATCH = 50
EPOCHS = 30
LR = 0.1
PATIENCE = 2
FACTOR = 0.3
THRESHOLD = 0.005


def make_data():
    rng = np.random.default_rng(17)
    x = rng.normal(size=(800, 5))
    y = np.tanh(x[:, 0] + 0.5 * x[:, 1]) + 0.3 * x[:, 2] * x[:, 3] + 0.02 * rng.normal(size=800)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:600], y[:600], x[600:], y[600:]


def build_model():
    net = nn.Sequential(nn.Linear(5, 48), nn.Tanh(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 1))
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


def main():
    torch.manual_seed(26)
    xtr, ytr, xva, yva = (torch.from_numpy(v) for v in make_data())
    net = build_model()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=FACTOR, patience=PATIENCE,
                                                           threshold=THRESHOLD, cooldown=0, min_lr=0.0)
    criterion = nn.MSELoss()
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(xtr)).split(BATCH):
            optimizer.zero_grad()
            loss = criterion(net(xtr[idx]), ytr[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        with torch.no_grad():
            val = criterion(net(xva), yva).item()
        scheduler.step(val)
        print("epoch %d loss %.4f val %.4f" % (epoch + 1, total / len(xtr), val))


if __name__ == "__main__":
    main()
