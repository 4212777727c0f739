import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

LR, WARMUP, EPOCHS, BATCH = 4e-3, 40, 12, 60

images, labels = load_digits(return_X_y=True)
images = (images.reshape(-1, 1, 8, 8) / 16.0 - 0.3).astype(np.float32)
order = np.random.default_rng(8).permutation(len(images))
images, labels = torch.from_numpy(images[order]), torch.from_numpy(labels[order]).long()
n_train = 1320


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 24, 3, stride=2)
        self.conv3 = nn.Conv2d(24, 32, 3, stride=2)
        self.norm = nn.LayerNorm(2 * 2 * 32, eps=1e-5)
        self.fc = nn.Linear(2 * 2 * 32, 10)
        for m in (self.conv1, self.conv2, self.conv3, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.1)
        x = F.leaky_relu(self.conv2(F.pad(x, (0, 1, 0, 1))), 0.1)
        x = F.leaky_relu(self.conv3(F.pad(x, (0, 1, 0, 1))), 0.1)
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.fc(self.norm(x))


torch.manual_seed(1)
net = Net()
decay = [p for p in net.parameters() if p.ndim > 1]
no_decay = [p for p in net.parameters() if p.ndim == 1]
opt = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.02}, {"params": no_decay, "weight_decay": 0.0}],
    lr=LR, betas=(0.9, 0.99), eps=1e-12,
)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda step: min(1.0, (step + 1) / WARMUP))

for epoch in range(EPOCHS):
    net.train()
    total = 0.0
    for idx in torch.randperm(n_train).split(BATCH):
        loss = F.cross_entropy(net(images[idx]), labels[idx], label_smoothing=0.1)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    net.eval()
    with torch.no_grad():
        logits = net(images[n_train:])
        test = F.cross_entropy(logits, labels[n_train:]).item()
        acc = (logits.argmax(1) == labels[n_train:]).float().mean().item()
    print(f"epoch {epoch + 1:2d} train {total / n_train:.4f} test {test:.4f} acc {acc:.4f}")
