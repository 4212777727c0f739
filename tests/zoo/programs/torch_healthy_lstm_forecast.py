"""An LSTM with gradient clipping that bites now and then."""

import torch
from torch import nn
from zoo_data import arguments, waves

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in waves(seed=seed))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])[:, 0]


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(300):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x[batch]), y[batch])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
print(loss.item())
