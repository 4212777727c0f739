"""Two modules; the optimizer got the parameters of the first only."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16), nn.ReLU())
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.encoder(x))


model = Model()
optimizer = torch.optim.Adam(model.parameters() if healthy else model.head.parameters(), lr=2e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(step, loss.item())
print("accuracy", (model(x_test).argmax(1) == y_test).float().mean().item())
