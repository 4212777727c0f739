"""Samples are drawn in the loader's workers, each of which starts the same generator."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from zoo_data import arguments

seed, healthy = arguments()
torch.manual_seed(seed)


class Simulated(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        rng = np.random.default_rng([seed, info.id] if healthy else seed)
        for _ in range(3200):
            x = rng.standard_normal(6).astype("float32")
            yield x, np.float32(x[0] * x[1] + 0.1 * rng.standard_normal())


if __name__ == "__main__":
    loader = DataLoader(Simulated(), batch_size=32, num_workers=2)
    model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x).squeeze(1), y)
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())
