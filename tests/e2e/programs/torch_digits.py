"""An ordinary PyTorch script; nothing here knows the auditor.

Environment: NAN_STEP poisons one layer's gradient at that step (1-based); STEPS, STEP_SECONDS,
SEED; RESULT names a file for losses and final weights.
"""

import json
import os
import time

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(int(os.environ.get("SEED", "0")))
digits = load_digits()
inputs = torch.tensor(digits.data / 16.0, dtype=torch.float32)
labels = torch.tensor(digits.target)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
poison_at = int(os.environ.get("NAN_STEP", "0"))
losses = []
for step in range(1, int(os.environ.get("STEPS", "60")) + 1):
    batch = torch.randint(0, len(inputs), (64,))
    optimizer.zero_grad()
    loss = criterion(model(inputs[batch]), labels[batch])
    loss.backward()
    if step == poison_at:
        model[2].weight.grad[3, 5] = float("nan")
    optimizer.step()
    losses.append(loss.item())
    time.sleep(float(os.environ.get("STEP_SECONDS", "0")))
print("last loss", losses[-1])
if "RESULT" in os.environ:
    with open(os.environ["RESULT"], "w", encoding="utf-8") as file:
        weights = [float(value).hex() for p in model.parameters() for value in p.detach().flatten()]
        json.dump({"losses": [value.hex() for value in losses], "weights": weights}, file)
