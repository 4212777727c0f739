"""Handwritten digits with PyTorch, and a penalty on the length of each sample's hidden code.

The mistake is an everyday one: the gradient of a norm at the zero vector. The square root of zero
is a good zero on the way forward; on the way back it is infinity times zero. The penalty thins the
codes out until, at some step, dropout happens to switch off every unit that one sample still uses.
That step's loss is still a proper number; the gradients of the layers below the code are not.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

EPOCHS, BATCH = 24, 32
PENALTY, DROPOUT = 0.5, 0.4

torch.manual_seed(0)
torch.set_num_threads(1)

digits = load_digits()
inputs = torch.tensor(digits.data / 16.0, dtype=torch.float32)
targets = torch.tensor(digits.target)


class Classifier(nn.Module):
    """64 pixels, two hidden layers, ten digits; also returns the second layer's code."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 32)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(32, 10)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and codes of a batch of images."""
        code = self.dropout(torch.relu(self.fc2(torch.relu(self.fc1(pixels)))))
        return self.head(code), code


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    total, penalty = 0.0, PENALTY * epoch / EPOCHS  # sets in gently
    for batch in torch.split(torch.randperm(len(inputs)), BATCH):
        optimizer.zero_grad()
        logits, code = model(inputs[batch])
        length = code.pow(2).sum(dim=1).sqrt()  # no epsilon under the root
        loss = criterion(logits, targets[batch]) + penalty * length.mean()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    print(f"epoch {epoch + 1}: loss {total / len(inputs):.4f}", flush=True)
