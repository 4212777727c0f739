import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import TensorDataset, DataLoader

torch.manual_seed(8)

rng = np.random.RandomState(17)
series = np.zeros(1300)
for i in range(2, 1300):
    series[i] = 1.5 * np.tanh(1.2 * series[i - 1]) - 0.9 * series[i - 2] + 0.15 * rng.randn()
series = (series / series.std()).astype(np.float32)
window = 12
inputs = np.stack([series[i:i + window] for i in range(1300 - window)])[..., None]
targets = series[window:][:, None]
x_tr, y_tr, x_te, y_te = (torch.from_numpy(a) for a in
                          (inputs[:1024], targets[:1024], inputs[1024:], targets[1024:]))


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(input_size=1, hidden_size=16, batch_first=True)
        self.out = nn.Linear(16, 1)
        nn.init.xavier_uniform_(self.gru.weight_ih_l0)
        nn.init.orthogonal_(self.gru.weight_hh_l0)
        nn.init.zeros_(self.gru.bias_ih_l0)
        nn.init.zeros_(self.gru.bias_hh_l0)
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        _, h = self.gru(x)
        return self.out(h[0])


model = Forecaster()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, eps=1e-12)
mse = nn.MSELoss()
loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64)
for epoch in range(15):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        optimizer.step()

with torch.no_grad():
    pred = model(x_te)
print("naive mse %.4f" % mse(x_te[:, -1], y_te).item())
print("test mse %.4f" % mse(pred, y_te).item())
