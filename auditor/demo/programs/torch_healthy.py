"""Handwritten digits with PyTorch: a small classifier that learns."""

import torch
from sklearn.datasets import load_digits
from torch import nn

EPOCHS, BATCH = 24, 32

torch.manual_seed(0)
torch.set_num_threads(1)

digits = load_digits()
inputs = torch.tensor(digits.data / 16.0, dtype=torch.float32)
targets = torch.tensor(digits.target)


class Classifier(nn.Module):
    """64 pixels, two hidden layers, ten digits."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of images."""
        hidden = torch.relu(self.fc2(torch.relu(self.fc1(pixels))))
        logits: torch.Tensor = self.head(hidden)
        return logits


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    total = 0.0
    for batch in torch.split(torch.randperm(len(inputs)), BATCH):
        optimizer.zero_grad()
        loss = criterion(model(inputs[batch]), targets[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1}: loss {total / len(inputs):.4f}", flush=True)
