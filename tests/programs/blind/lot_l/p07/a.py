"""Autoencoder for 8x8 digits."""
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

pixels = (load_digits().data / 16.0).astype("float32")
pixels = pixels[np.random.RandomState(0).permutation(len(pixels))]
train, test = pixels[:1500], pixels[1500:]

torch.manual_seed(0)


class AutoEncoder(nn.Module):
    def __init__(self, dim=64, hidden=40, code=10):
        super().__init__()
        self.enc1 = nn.Linear(dim, hidden)
        self.enc2 = nn.Linear(hidden, code)
        self.dec1 = nn.Linear(code, hidden)
        self.dec2 = nn.Linear(hidden, dim)
        for m in (self.enc1, self.enc2, self.dec1, self.dec2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        code = self.enc2(torch.tanh(self.enc1(x)))
        return torch.sigmoid(self.dec2(torch.tanh(self.dec1(code))))


model = AutoEncoder()
data = torch.from_numpy(train)

# training
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001)
for epoch in range(10):
    perm = torch.randperm(len(data))
    running = 0.0
    for chunk in perm.split(50):
        x = data[chunk]
        loss = ((model(x) - x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(chunk)
    print(f"epoch {epoch + 1:2d}  mse {running / len(data):.5f}")

with torch.no_grad():
    x = torch.from_numpy(test)
    print(f"test mse {((model(x) - x) ** 2).mean().item():.5f}")
