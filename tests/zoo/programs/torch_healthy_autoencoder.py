"""A denoising autoencoder with a sigmoid output and a narrow waist."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x = torch.as_tensor(digits(seed)[0])
encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
decoder = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
model = nn.Sequential(encoder, decoder)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        noisy = x[batch] + 0.1 * torch.randn(len(batch), 64)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(noisy), x[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
