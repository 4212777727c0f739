"""Small CNN on imbalanced digits: weighted loss and Nesterov update by hand (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(5)
torch.set_num_threads(1)

# --- data: digits 5..9 are made rare in the training part
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32").reshape(-1, 8, 8)
perm = np.random.RandomState(3).permutation(len(labels))
images, labels = images[perm], labels[perm].astype("int64")
x_test, y_test = images[1300:], labels[1300:]
keep = []
for k in range(10):
    idx = np.where(labels[:1300] == k)[0]
    keep.extend(idx[:110] if k < 5 else idx[:45])
keep = np.sort(np.array(keep))
x_train, y_train = images[keep], labels[keep]

counts = np.bincount(y_train, minlength=10)
weights = torch.tensor(len(y_train) / (10.0 * counts), dtype=torch.float32)


# --- model
class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc = nn.Linear(2 * 2 * 24, 10)
        for m in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(m.weight)
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.permute(0, 2, 3, 1).flatten(1))


model = CNN()
LR, MU = 0.02, 0.9
velocity = [torch.zeros_like(p) for p in model.parameters()]


def train_step(xb, yb):
    loss = F.cross_entropy(model(xb), yb, weight=weights)
    grads = torch.autograd.grad(loss, list(model.parameters()))
    with torch.no_grad():
        for p, v, g in zip(model.parameters(), velocity, grads):
            v.mul_(MU).sub_(LR * g)
            p.add_(MU * v - LR * g)
    return loss.item()


# --- training
if __name__ == "__main__":
    print("train size", len(y_train))
    xt, yt = torch.from_numpy(x_train[:, None]), torch.from_numpy(y_train)
    for epoch in range(14):
        order = torch.randperm(len(yt))
        tot = 0.0
        for chunk in order.split(32):
            tot += train_step(xt[chunk], yt[chunk]) * len(chunk)
        print(f"epoch {epoch + 1}/14 loss {tot / len(yt):.4f}")
    with torch.no_grad():
        logits = model(torch.from_numpy(x_test[:, None]))
        target = torch.from_numpy(y_test)
        print(f"test loss {F.cross_entropy(logits, target).item():.4f}  "
              f"test accuracy {(logits.argmax(1) == target).float().mean().item():.4f}")
