import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

images = (load_digits().images / 16.0).astype("float32")
images = images[np.random.default_rng(5).permutation(len(images))]
train, test = images[:1280, None], images[1280:1664, None]


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(1, 6, 3, stride=2)
        self.mid = nn.Conv2d(6, 6, 1)
        self.dec = nn.ConvTranspose2d(6, 8, 3, stride=2, padding=1, output_padding=1)
        self.out = nn.Conv2d(8, 1, 3, padding=1)
        for layer in (self.enc, self.mid, self.dec, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        h = torch.tanh(self.enc(F.pad(x, (0, 1, 0, 1))))
        h = torch.tanh(self.mid(h))
        h = torch.tanh(self.dec(h))
        return self.out(h)


torch.manual_seed(13)
net = AutoEncoder()
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
train_t, test_t = torch.from_numpy(train), torch.from_numpy(test)

for epoch in range(12):
    order = torch.randperm(1280)
    acc = 0.0
    for b in range(0, 1280, 40):
        xb = train_t[order[b:b + 40]]
        loss = F.mse_loss(net(xb), xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        acc += loss.item() * len(xb)
    print("epoch %d mse %.5f" % (epoch, acc / 1280))

with torch.no_grad():
    print("test mse %.5f" % F.mse_loss(net(test_t), test_t).item())
