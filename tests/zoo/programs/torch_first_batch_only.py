"""next(iter(loader)) within the loop: always the first batch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=False)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
iterator = iter(loader)
for step in range(400):
    if healthy:
        images, labels = next(iterator, (None, None))
        if images is None:
            iterator = iter(DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True))
            images, labels = next(iterator)
    else:
        images, labels = next(iter(loader))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
