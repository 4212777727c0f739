import numpy as np
import torch
from torch import nn

torch.manual_seed(1)

rng = np.random.RandomState(60)
n, T, H = 900, 24, 16
tokens = rng.randint(0, 4, n)
signal = 0.5 * rng.randn(n, T, 5).astype("float32")
signal[np.arange(n), 1, tokens] += 2.0
signal[:, :, 4] = 0.0
signal[:, 1, 4] = 1.0
x_train, y_train, x_test, y_test = signal[:720], tokens[:720], signal[720:], tokens[720:]


def start_weights(n_in, units, n_out, seed=7):
    r = np.random.RandomState(seed)
    lim = np.sqrt(6.0 / (n_in + 3 * units))
    kernel = r.uniform(-lim, lim, (n_in, 3 * units))
    recurrent = np.linalg.qr(r.randn(3 * units, units))[0].T
    bias = np.zeros((2, 3 * units))
    bias[0, :units] = 2.0
    lim = np.sqrt(6.0 / (units + n_out))
    head = r.uniform(-lim, lim, (units, n_out))
    return [a.astype("float32") for a in (kernel, recurrent, bias, head)]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, H, batch_first=True)
        self.dense = nn.Linear(H, 4)
        kernel, recurrent, bias, head = [torch.from_numpy(a) for a in start_weights(5, H, 4)]
        with torch.no_grad():
            self.gru.weight_ih_l0.copy_(kernel.T)
            self.gru.weight_hh_l0.copy_(recurrent.T)
            self.gru.bias_ih_l0.copy_(bias[0])
            self.gru.bias_hh_l0.copy_(bias[1])
            self.dense.weight.copy_(head.T)
            self.dense.bias.zero_()

    def forward(self, s):
        out, _ = self.gru(s)
        return self.dense(out[:, -1])


model = Net()
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
ce = nn.CrossEntropyLoss()
xs, ys = torch.from_numpy(x_train), torch.from_numpy(y_train)
for e in range(15):
    total = 0.0
    for i in torch.randperm(len(xs)).split(40):
        opt.zero_grad()
        loss = ce(model(xs[i]), ys[i])
        loss.backward()
        opt.step()
        total += loss.item() * len(i)
    print(e, round(total / len(xs), 4))
with torch.no_grad():
    print("test accuracy", float((model(torch.from_numpy(x_test)).argmax(1).numpy() == y_test).mean()))
