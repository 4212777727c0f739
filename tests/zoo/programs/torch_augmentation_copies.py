"""Augmentation noise from a generator that every worker got a copy of."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)


class Augmented(Dataset):
    """A few templates, each with fresh noise and shift every time it is read."""

    def __init__(self):
        x, y, _, _ = digits(seed, images=True)
        self.x, self.y = x[:1], y[:1]
        first = [int(np.argmax(y == c)) for c in range(10)]
        self.x, self.y = x[first], y[first]
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return 3200

    def __getitem__(self, i):
        k = int(self.rng.integers(10))
        image = np.roll(self.x[k], int(self.rng.integers(-1, 2)), axis=1)
        return (image + 0.2 * self.rng.standard_normal((8, 8))).astype("float32").ravel(), self.y[k]


def reseed(worker):
    dataset = torch.utils.data.get_worker_info().dataset
    dataset.rng = np.random.default_rng([seed, worker, torch.initial_seed() % 2**31])


if __name__ == "__main__":
    loader = DataLoader(Augmented(), batch_size=32, num_workers=2, worker_init_fn=reseed if healthy else None)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())
