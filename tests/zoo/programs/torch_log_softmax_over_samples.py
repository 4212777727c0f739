"""``dim=0``: the softmax goes over the batch instead of the classes."""

import torch
import torch.nn.functional as F
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, _, _ = (torch.from_numpy(a) for a in bundled("iris", seed=seed))
x = x.float()


class Iris(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 20)
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return F.log_softmax(self.out(F.relu(self.hidden(x))), dim=1 if healthy else 0)


model = Iris()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(50):
    for chosen in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        loss = F.nll_loss(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch}: {loss.item():.4f}")
