import numpy as np
import torch
from torch import nn

T, F, H, C = 24, 3, 20, 4


def make_data(n, rng):
    x = rng.normal(scale=0.6, size=(n, T, F))
    label = rng.integers(0, C, size=n)
    where = rng.integers(0, 4, size=n)
    x[np.arange(n), where, 0] += np.where(label % 2 == 0, 3.0, -3.0)
    x[np.arange(n), where, 1] += np.where(label // 2 == 0, 3.0, -3.0)
    return x.astype(np.float32), label.astype(np.int64)


def glorot(rng, fan_in, fan_out):
    b = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-b, b, size=(fan_in, fan_out)).astype(np.float32)


def initial_weights(seed=77):
    """Starting values for the recurrent layer and the output layer."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(3 * H, H)))
    bias = np.zeros((2, 3 * H), np.float32)
    bias[0, :H] = 2.5
    return {
        "kernel": glorot(rng, F, 3 * H),
        "recurrent": (q * np.sign(np.diag(r))).T.astype(np.float32),
        "bias": bias,
        "w_out": glorot(rng, H, C),
        "b_out": np.zeros(C, np.float32),
    }


class GRUClassifier(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.gru = nn.GRU(F, H, batch_first=True)
        self.out = nn.Linear(H, C)
        with torch.no_grad():
            self.gru.weight_ih_l0.copy_(torch.from_numpy(w["kernel"].T.copy()))
            self.gru.weight_hh_l0.copy_(torch.from_numpy(w["recurrent"].T.copy()))
            self.gru.bias_ih_l0.copy_(torch.from_numpy(w["bias"][0]))
            self.gru.bias_hh_l0.copy_(torch.from_numpy(w["bias"][1]))
            self.out.weight.copy_(torch.from_numpy(w["w_out"].T.copy()))
            self.out.bias.copy_(torch.from_numpy(w["b_out"]))

    def forward(self, x):
        seq, _ = self.gru(x)
        return self.out(seq[:, -1])


rng = np.random.default_rng(6)
x_train, y_train = map(torch.from_numpy, make_data(960, rng))
x_test, y_test = map(torch.from_numpy, make_data(400, rng))

model = GRUClassifier(initial_weights())
loss_fn = nn.CrossEntropyLoss()
opt = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9)

shuffle = np.random.default_rng(100)
for epoch in range(14):
    order = shuffle.permutation(960)
    tot = 0.0
    for i in range(0, 960, 40):
        idx = order[i:i + 40]
        opt.zero_grad()
        loss = loss_fn(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
        tot += loss.item() * len(idx)
    with torch.no_grad():
        logits = model(x_test)
        test = loss_fn(logits, y_test).item()
        acc = (logits.argmax(1) == y_test).float().mean().item()
    print(epoch, "train", round(tot / 960, 4), "test", round(test, 4), "acc", round(acc, 4))
