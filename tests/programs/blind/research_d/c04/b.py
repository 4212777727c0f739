"""Knowledge distillation on the digits: a wide teacher, then a small student. PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(8)

TEMP, ALPHA, BATCH = 3.0, 0.7, 64
digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.RandomState(1).permutation(len(X))
X, y = X[order], y[order]
x_train, y_train, x_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
        nn.init.zeros_(m.bias)


teacher = nn.Sequential(
    nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(128, 10)).apply(init)
student = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10)).apply(init)


def distillation_loss(student_logits, teacher_logits, target):
    kl = F.kl_div(F.log_softmax(student_logits / TEMP, dim=-1),
                  F.log_softmax(teacher_logits / TEMP, dim=-1),
                  reduction="batchmean", log_target=True) * TEMP ** 2
    hard = F.cross_entropy(student_logits, target)
    return ALPHA * kl + (1 - ALPHA) * hard


loader = DataLoader(TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)


def run_epoch(net, opt, loss_fn):
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(xb, net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    return total / len(x_train)


# ---- training
opt = torch.optim.SGD(teacher.parameters(), lr=0.05, momentum=0.9)
teacher.train()
hist = [run_epoch(teacher, opt, lambda xb, out, yb: F.cross_entropy(out, yb)) for _ in range(10)]
print("teacher loss %.4f -> %.4f" % (hist[0], hist[-1]))

teacher.eval()
for p in teacher.parameters():
    p.requires_grad_(False)


def student_loss(xb, out, yb):
    with torch.no_grad():
        target_logits = teacher(xb)
    return distillation_loss(out, target_logits, yb)


opt = torch.optim.SGD(student.parameters(), lr=0.02, momentum=0.8, nesterov=True)
hist = [run_epoch(student, opt, student_loss) for _ in range(15)]
for e in (0, 4, 9, 14):
    print(f"student epoch {e + 1} loss {hist[e]:.4f}")

student.eval()
with torch.no_grad():
    for name, net in (("teacher", teacher), ("student", student)):
        logits = net(torch.from_numpy(x_test)).numpy()
        print(f"{name} test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
