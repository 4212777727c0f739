import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


def load():
    imgs = (load_digits().images / 16.0).astype("float32")
    imgs = imgs[np.random.default_rng(6).permutation(len(imgs))]
    return imgs[:1500], imgs[1500:]


def init(m):
    if isinstance(m, nn.Conv2d):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def build():
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 4, 3, padding=1), nn.Tanh(),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        nn.Conv2d(4, 12, 3, padding=1), nn.ReLU(),
        nn.Conv2d(12, 1, 3, padding=1),
    )
    net.apply(init)
    return net


def main():
    torch.manual_seed(2024)
    train, test = load()
    train, test = torch.from_numpy(train)[:, None], torch.from_numpy(test)[:, None]
    ae = build()
    opt = torch.optim.RMSprop(ae.parameters(), lr=1e-3, alpha=0.9, eps=1e-8, momentum=0.0, centered=False)
    mse = nn.MSELoss()
    for epoch in range(12):
        ae.train()
        for idx in torch.randperm(len(train)).split(50):
            opt.zero_grad()
            loss = mse(ae(train[idx]), train[idx])
            loss.backward()
            opt.step()
    ae.eval()
    with torch.no_grad():
        print("train mse", round(mse(ae(train), train).item(), 5))
        print("test mse", round(mse(ae(test), test).item(), 5))


if __name__ == "__main__":
    main()
