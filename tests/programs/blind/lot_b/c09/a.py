import math
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(5)

pixels = load_digits().data / 16.0
pixels = pixels[np.random.RandomState(1).permutation(len(pixels))].astype(np.float32)
train, test = torch.from_numpy(pixels[:1536]), torch.from_numpy(pixels[1536:])

autoencoder = nn.Sequential(
    nn.Linear(64, 32), nn.LeakyReLU(0.1),
    nn.Linear(32, 8), nn.LeakyReLU(0.1),
    nn.Linear(8, 32), nn.LeakyReLU(0.1),
    nn.Linear(32, 64),
)
for m in autoencoder:
    if isinstance(m, nn.Linear):
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)

epochs, batch = 20, 64
total = epochs * (1536 // batch)
opt = torch.optim.Adam(autoencoder.parameters(), lr=5e-3, eps=1e-12)
sched = torch.optim.lr_scheduler.LambdaLR(
    opt, lambda k: 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(k, total) / total)))
criterion = nn.BCEWithLogitsLoss()

for epoch in range(epochs):
    for rows in torch.randperm(1536).split(batch):
        xb = train[rows]
        opt.zero_grad()
        criterion(autoencoder(xb), xb).backward()
        opt.step()
        sched.step()

with torch.no_grad():
    out = autoencoder(test)
    print("test bce %.4f  test mse %.4f" % (criterion(out, test).item(),
                                            (torch.sigmoid(out) - test).pow(2).mean().item()))
