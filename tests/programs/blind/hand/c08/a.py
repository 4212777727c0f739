"""Imbalanced four-class problem: PyTorch with weighted cross-entropy, dropout and RMSprop."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(31)
torch.set_num_threads(1)


def make_data(n, rng):
    centres = np.random.default_rng(77).normal(size=(4, 16)) * 0.55
    y = rng.choice(4, size=n, p=[0.62, 0.22, 0.11, 0.05])
    x = centres[y] + rng.normal(size=(n, 16)) * np.where(y == 0, 1.0, 0.8)[:, None]
    x[:, 8:] = np.abs(x[:, 8:]) * np.sign(x[:, :8])
    return x.astype("float32"), y.astype("int64")


rng = np.random.default_rng(12)
x_train, y_train = make_data(1000, rng)
x_test, y_test = make_data(1000, rng)
counts = np.bincount(y_train, minlength=4)
class_weights = torch.tensor(len(y_train) / (4.0 * counts), dtype=torch.float32)

model = nn.Sequential(
    nn.Linear(16, 40), nn.ELU(), nn.Dropout(0.3),
    nn.Linear(40, 40), nn.ELU(), nn.Dropout(0.3),
    nn.Linear(40, 4),
)
criterion = nn.CrossEntropyLoss(weight=class_weights)
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.95, eps=1e-8, momentum=0.0, weight_decay=0.0)
loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=48, shuffle=True, drop_last=False)

for epoch in range(15):
    model.train()
    epoch_losses = []
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        epoch_losses.append(loss.item())
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {np.mean(epoch_losses):.4f}")

model.eval()
with torch.no_grad():
    z = model(torch.from_numpy(x_test))
    pred = z.argmax(1).numpy()
    recalls = [np.mean(pred[y_test == c] == c) for c in range(4)]
    print(f"weighted loss {criterion(z, torch.from_numpy(y_test)).item():.4f} "
          f"balanced accuracy {np.mean(recalls):.4f}")
