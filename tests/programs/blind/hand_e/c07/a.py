"""Denoising autoencoder on the digits (PyTorch modules, nn.Dropout, RMSprop)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(6)

pixels = (load_digits().data / 16.0).astype(np.float32)
pixels = pixels[np.random.default_rng(99).permutation(len(pixels))]
train, test = torch.from_numpy(pixels[:1450]), torch.from_numpy(pixels[1450:])


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.corrupt = nn.Dropout(0.25)
        self.enc1, self.enc2 = nn.Linear(64, 40), nn.Linear(40, 12)
        self.drop = nn.Dropout(0.1)
        self.dec1, self.dec2 = nn.Linear(12, 40), nn.Linear(40, 64)
        for lin in (self.enc1, self.enc2, self.dec1, self.dec2):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)

    def forward(self, x):
        h = torch.tanh(self.enc1(self.corrupt(x)))
        code = torch.tanh(self.enc2(self.drop(h)))
        return self.dec2(torch.tanh(self.dec1(code)))


model = AutoEncoder()
criterion = nn.BCEWithLogitsLoss()
opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, eps=1e-8, momentum=0.5,
                          centered=False, weight_decay=0.0)
loader = DataLoader(TensorDataset(train), batch_size=100, shuffle=True, drop_last=False)

for epoch in range(25):
    model.train()
    total = 0.0
    for (xb,) in loader:
        loss = criterion(model(xb), xb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}: {total / len(train):.4f}")

model.eval()
with torch.no_grad():
    print("test bce: %.4f" % criterion(model(test), test).item())
