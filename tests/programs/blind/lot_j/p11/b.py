import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

imgs = (load_digits().images / 16.0).astype("float32")[:, None]
imgs = torch.from_numpy(imgs[np.random.default_rng(9).permutation(len(imgs))])
train, test = imgs[:1408], imgs[1408:]

torch.manual_seed(5)


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(64, 16)
        self.dec = nn.Linear(16, 2 * 2 * 16)
        self.up1 = nn.ConvTranspose2d(16, 24, 3, stride=1, padding=1)
        self.up2 = nn.ConvTranspose2d(24, 24, 2, stride=2)
        self.up3 = nn.ConvTranspose2d(24, 24, 3, stride=1, padding=1)
        self.up4 = nn.ConvTranspose2d(24, 24, 2, stride=2)
        self.last = nn.Conv2d(24, 1, 3, padding=1)
        self.reset()

    def reset(self):
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(m.weight)
            if getattr(m, "bias", None) is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = torch.tanh(self.enc(x.flatten(1)))
        h = F.relu(self.dec(h)).view(-1, 2, 2, 16).permute(0, 3, 1, 2)
        h = F.relu(self.up1(h))
        h = F.relu(self.up2(h))
        h = F.relu(self.up3(h))
        h = F.relu(self.up4(h))
        return self.last(h)


model = AutoEncoder()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

for epoch in range(15):
    total = 0.0
    for idx in torch.randperm(len(train)).split(64):
        xb = train[idx]
        loss = F.mse_loss(model(xb), xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    with torch.no_grad():
        val = F.mse_loss(model(test), test).item()
    print(f"Epoch {epoch + 1}/15 - loss: {total / len(train):.4f} - val_loss: {val:.4f}")
