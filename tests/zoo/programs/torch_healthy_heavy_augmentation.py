"""Cut-out, shifts and noise: training is harder than testing."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed, images=True))
x, x_test = x.unsqueeze(1), x_test.unsqueeze(1)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.4),
    nn.Linear(128, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(8):
    model.train()
    for batch in torch.randperm(len(x)).split(32):
        images = torch.roll(x[batch], tuple(torch.randint(-1, 2, (2,)).tolist()), (2, 3))
        images = images * (torch.rand_like(images) > 0.3) + 0.3 * torch.randn_like(images)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), y[batch])
        loss.backward()
        optimizer.step()
model.eval()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
