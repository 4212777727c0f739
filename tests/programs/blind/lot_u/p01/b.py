import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.set_num_threads(1)
SIGMA, BATCH, EPOCHS, LR = 0.35, 50, 15, 0.02

imgs = (load_digits().images / 16.0).astype("float32")[:, None]
order = np.random.default_rng(7).permutation(len(imgs))
train, test = imgs[order[:1000]], imgs[order[1000:1400]]
noise = np.random.default_rng(8).standard_normal((len(test), 8, 8, 1)).astype("float32")
test_noisy = torch.from_numpy(test + SIGMA * noise.transpose(0, 3, 1, 2))
train, test = torch.from_numpy(train), torch.from_numpy(test)

torch.manual_seed(23)


class Denoiser(nn.Module):
    def __init__(self, width=12, depth=6):
        super().__init__()
        chans = [1] + [width] * (depth - 1)
        self.body = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(chans[:-1], chans[1:]))
        self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, x):
        for conv in self.body:
            x = torch.tanh(conv(x))
        return self.last(x)


net = Denoiser()
opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9)

for epoch in range(EPOCHS):
    net.train()
    losses = []
    for idx in torch.randperm(len(train)).split(BATCH):
        clean = train[idx]
        noisy = clean + SIGMA * torch.randn_like(clean)
        loss = ((net(noisy) - clean) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    net.eval()
    with torch.no_grad():
        err = ((net(test_noisy) - test) ** 2).mean().item()
    print(f"epoch {epoch + 1:2d}  train {np.mean(losses):.5f}  test {err:.5f}")
