import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(4)

images, labels = load_digits(return_X_y=True)
idx = np.random.default_rng(11).permutation(len(images))
images = (images[idx].reshape(-1, 8, 8, 1) / 16.0).astype(np.float32)
labels = labels[idx].astype(np.int64)
n_train = 1400


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(2 * 2 * 16, 32)
        self.drop = nn.Dropout(0.25)
        self.fc2 = nn.Linear(32, 10)
        for m in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        return F.softmax(self.fc2(self.drop(F.relu(self.fc1(x)))), dim=1)


x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
y = torch.from_numpy(labels)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
train = torch.utils.data.TensorDataset(x[:n_train], y[:n_train])
loader = torch.utils.data.DataLoader(train, batch_size=50, shuffle=True)

net.train()
for epoch in range(12):
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        opt.step()

net.eval()
with torch.no_grad():
    out = net(x[n_train:])
    print("test loss %.4f" % F.cross_entropy(out, y[n_train:]).item(),
          "test acc %.4f" % (out.argmax(1) == y[n_train:]).float().mean().item())
