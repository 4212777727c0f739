"""Distilling a frozen random-feature teacher into a small convolutional student. PyTorch."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

torch.manual_seed(0)
torch.set_num_threads(1)

EPOCHS, BATCH, TEMP, ALPHA, L2 = 14, 52, 3.0, 0.7, 1e-4

digits = load_digits()
order = np.random.default_rng(12).permutation(len(digits.target))
X = (digits.images[order] / 16.0).astype(np.float32)
y = digits.target[order].astype(np.int64)
X_train, y_train, X_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]

# the teacher: a fixed random layer and a ridge read-out, solved once
rng = np.random.default_rng(5)
W1 = rng.standard_normal((64, 400)) * 0.35
b1 = rng.uniform(-1.0, 1.0, 400)
hidden = np.maximum(X_train.reshape(-1, 64) @ W1 + b1, 0.0)
W2 = np.linalg.solve(hidden.T @ hidden + 1.0 * np.eye(400), hidden.T @ (np.eye(10)[y_train] * 12.0 - 2.0))

teacher = nn.Sequential(nn.Flatten(), nn.Linear(64, 400), nn.ReLU(), nn.Linear(400, 10, bias=False))
teacher.requires_grad_(False)
teacher[1].weight.copy_(torch.from_numpy(W1.T))
teacher[1].bias.copy_(torch.from_numpy(b1))
teacher[3].weight.copy_(torch.from_numpy(W2.T))
teacher.eval()

student = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Dropout(0.1), nn.Linear(24, 10),
)
for m in student:
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_uniform_(m.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(m.bias)
    elif isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)
kernels = [p for name, p in student.named_parameters() if name.endswith("weight")]

opt = torch.optim.SGD(student.parameters(), lr=0.03, momentum=0.9, nesterov=True)
loader = DataLoader(TensorDataset(torch.from_numpy(X_train[:, None]), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)


def objective(x, labels):
    with torch.no_grad():
        p_teacher = F.softmax(teacher(x) / TEMP, dim=-1)
    logits = student(x)
    hard = F.cross_entropy(logits, labels)
    soft = F.kl_div(F.log_softmax(logits / TEMP, dim=-1), p_teacher, reduction="batchmean")
    penalty = L2 * sum(k.pow(2).sum() for k in kernels)
    return ALPHA * TEMP ** 2 * soft + (1.0 - ALPHA) * hard + penalty


for epoch in range(EPOCHS):
    student.train()
    total = 0.0
    for x, labels in loader:
        loss = objective(x, labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(x)
    print(f"epoch {epoch + 1:2d}  loss {total / len(X_train):.4f}")

student.eval()
with torch.no_grad():
    t_pred = teacher(torch.from_numpy(X_test[:, None])).argmax(1).numpy()
    s_pred = student(torch.from_numpy(X_test[:, None])).argmax(1).numpy()
print(f"teacher accuracy {(t_pred == y_test).mean():.4f}  student accuracy {(s_pred == y_test).mean():.4f}  "
      f"agreement {(t_pred == s_pred).mean():.4f}")
