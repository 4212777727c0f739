import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(3)

digits = load_digits()
x = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(11).permutation(len(x))
x, y = x[order], y[order]
x_train, y_train = x[:1400], y[:1400]
x_test, y_test = x[1400:], y[1400:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc1 = nn.Linear(24 * 2 * 2, 48)
        self.drop = nn.Dropout(0.25)
        self.fc2 = nn.Linear(48, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc2(self.drop(x))


net = Net()
kernels = [p for n, p in net.named_parameters() if n.endswith("weight")]
biases = [p for n, p in net.named_parameters() if n.endswith("bias")]
opt = torch.optim.SGD(
    [{"params": kernels, "weight_decay": 1e-3}, {"params": biases, "weight_decay": 0.0}],
    lr=0.03, momentum=0.9)
data = torch.utils.data.TensorDataset(torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train))
loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
loss_fn = nn.CrossEntropyLoss()

# train
for epoch in range(12):
    net.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()

net.eval()
with torch.no_grad():
    out = net(torch.from_numpy(x_test[:, None]))
    t = torch.from_numpy(y_test)
    print("test cross-entropy %.4f" % loss_fn(out, t).item())
    print("test accuracy %.4f" % (out.argmax(1) == t).float().mean().item())
