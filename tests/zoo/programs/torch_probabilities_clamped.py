"""A clamp where the sigmoid should be: answers are cut off to 0..1 and get no gradient there."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, _, _ = (torch.from_numpy(a) for a in bundled("breast_cancer", seed=seed))
x, y = x.float(), y.float().unsqueeze(1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(x.shape[1], 16)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        score = self.out(torch.relu(self.hidden(x)))
        return torch.sigmoid(score) if healthy else score.clamp(0, 1)


model = Classifier()
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(20):
    for chosen in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = criterion(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
    accuracy = ((model(x) > 0.5).float() == y).float().mean()
    print(f"epoch {epoch}: {loss.item():.4f}, {accuracy:.1%}")
