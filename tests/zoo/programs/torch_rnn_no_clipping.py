"""A plain RNN with large recurrent weights and no clipping."""

import torch
from torch import nn
from zoo_data import arguments, waves

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in waves(seed=seed))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(1, 32, nonlinearity="relu", batch_first=True)
        self.out = nn.Linear(32, 1)
        if healthy:
            nn.init.eye_(self.rnn.weight_hh_l0)
            self.rnn.weight_hh_l0.data *= 0.9
        else:
            nn.init.normal_(self.rnn.weight_hh_l0, std=0.4)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1]).squeeze(1)


model = Model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(300):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x[batch]), y[batch])
    loss.backward()
    if healthy:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 49:
        print(step, loss.item())
