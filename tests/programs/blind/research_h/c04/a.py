# Knowledge distillation on digits: MLP teacher, small convolutional student. PyTorch.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

TEMP, ALPHA = 3.0, 0.7
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32")
p = np.random.RandomState(1).permutation(len(images))
images, labels = images[p], labels[p]
xtr, ytr = torch.tensor(images[:1400]), torch.tensor(labels[:1400])
xte, yte = torch.tensor(images[1400:]), torch.tensor(labels[1400:])
loader = DataLoader(TensorDataset(xtr, ytr), batch_size=64, shuffle=True)


def glorot(m):
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


teacher = nn.Sequential(nn.Linear(64, 160), nn.ReLU(), nn.Linear(160, 10)).apply(glorot)
student = nn.Sequential(
    nn.Unflatten(1, (1, 8, 8)),
    nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Dropout(0.2), nn.Linear(160, 10),
).apply(glorot)


def make_opt(net, lr):
    return torch.optim.Adagrad(net.parameters(), lr=lr, lr_decay=0, weight_decay=0,
                               initial_accumulator_value=0.1, eps=1e-12)


def accuracy(net):
    net.eval()
    with torch.no_grad():
        return (net(xte).argmax(1) == yte).float().mean().item()


opt = make_opt(teacher, 0.03)
teacher.train()
for epoch in range(6):
    for x, y in loader:
        loss = F.cross_entropy(teacher(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
print("teacher accuracy %.4f" % accuracy(teacher))
teacher.requires_grad_(False)

opt = make_opt(student, 0.03)
for epoch in range(10):
    student.train()
    seen = 0.0
    for x, y in loader:
        soft = F.softmax(teacher(x) / TEMP, dim=1)
        logits = student(x)
        hard_loss = F.cross_entropy(logits, y)
        soft_loss = F.kl_div(F.log_softmax(logits / TEMP, dim=1), soft, reduction="batchmean")
        loss = (1 - ALPHA) * hard_loss + ALPHA * TEMP ** 2 * soft_loss
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += loss.item() * len(y)
    print("epoch %d loss %.4f test accuracy %.4f" % (epoch + 1, seen / len(xtr), accuracy(student)))
