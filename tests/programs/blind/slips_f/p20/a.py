"""Denoising autoencoder on digits with library parts (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(1)
torch.set_num_threads(1)

pixels = (load_digits().data / 16.0).astype("float32")
pixels = pixels[np.random.RandomState(12).permutation(len(pixels))]
train, test = torch.from_numpy(pixels[:1500]), torch.from_numpy(pixels[1500:])

model = nn.Sequential(
    nn.Dropout(0.75),            # corrupts the input
    nn.Linear(64, 40), nn.ELU(),
    nn.Linear(40, 12), nn.ELU(),
    nn.Linear(12, 40), nn.ELU(),
    nn.Linear(40, 64),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.95, eps=1e-8, weight_decay=1e-4)


def train_step(x):
    optimizer.zero_grad()
    loss = criterion(model(x), x)
    loss.backward()
    optimizer.step()
    return loss.item()


def main():
    loader = torch.utils.data.DataLoader(train, batch_size=50, shuffle=True)
    for epoch in range(15):
        model.train()
        losses = [train_step(x) for x in loader]
        print(f"epoch {epoch + 1:2d}: train {np.mean(losses):.4f}")
    model.eval()
    with torch.no_grad():
        print(f"reconstruction of the test set {criterion(model(test), test).item():.4f}")


if __name__ == "__main__":
    main()
