"""The generator's loss is computed of samples that were detached for the discriminator: it never learns."""

import torch
from torch import nn
from zoo_data import arguments

seed, healthy = arguments()
torch.manual_seed(seed)
generator = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
discriminator = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
of_generator = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.999))
of_discriminator = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
for step in range(400):
    real = torch.randn(64, 2) * 0.3 + torch.tensor([2.0, -1.0])
    made = generator(torch.randn(64, 8))
    fake = made.detach()
    of_discriminator.zero_grad()
    judged = criterion(discriminator(real), ones) + criterion(discriminator(fake), zeros)
    judged.backward()
    of_discriminator.step()
    of_generator.zero_grad()
    fooled = criterion(discriminator(made if healthy else fake), ones)
    fooled.backward()
    of_generator.step()
    if step % 100 == 0:
        print(f"step {step}: {judged.item():.4f}, {fooled.item():.4f}")
