"""Distilling a fixed kernel-like teacher into a small conv net, PyTorch."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

TEMP, MIX, EPOCHS, BATCH = 3.0, 0.7, 10, 32

digits = load_digits()
rng = np.random.default_rng(123)
order = rng.permutation(len(digits.target))
x = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")

w_feat = rng.normal(size=(64, 400)) * 0.4
b_feat = rng.normal(size=400)
f = np.tanh(x[:1400] @ w_feat + b_feat)
w_read = np.linalg.solve(f.T @ f + 1.0 * np.eye(400), f.T @ (8.0 * np.eye(10)[y[:1400]]))


class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("w1", torch.tensor(w_feat, dtype=torch.float32))
        self.register_buffer("b1", torch.tensor(b_feat, dtype=torch.float32))
        self.register_buffer("w2", torch.tensor(w_read, dtype=torch.float32))

    @torch.no_grad()
    def forward(self, img):
        return torch.tanh(img.flatten(1) @ self.w1 + self.b1) @ self.w2


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3)
        self.c2 = nn.Conv2d(12, 24, 3)
        self.fc = nn.Linear(24, 10)
        for conv in (self.c1, self.c2):
            nn.init.kaiming_uniform_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, img):
        h = F.relu(self.c2(F.relu(self.c1(img))))
        return self.fc(h.mean(dim=(2, 3)))


def distill_loss(s, t, y):
    kl = F.kl_div(F.log_softmax(s / TEMP, dim=1), F.softmax(t / TEMP, dim=1), reduction="batchmean")
    return MIX * TEMP**2 * kl + (1 - MIX) * F.cross_entropy(s, y)


img = torch.from_numpy(x).view(-1, 1, 8, 8)
lab = torch.from_numpy(y)
loader = DataLoader(TensorDataset(img[:1400], lab[:1400]), batch_size=BATCH, shuffle=True, drop_last=False)

teacher, student = Teacher().eval(), Student()
opt = torch.optim.SGD(student.parameters(), lr=0.02, momentum=0.9, nesterov=True)
for epoch in range(EPOCHS):
    student.train()
    acc, seen = 0.0, 0
    for xb, yb in loader:
        opt.zero_grad()
        loss = distill_loss(student(xb), teacher(xb), yb)
        loss.backward()
        opt.step()
        acc += loss.item() * len(yb)
        seen += len(yb)
    print(f"epoch {epoch + 1}: loss {acc / seen:.4f}")

student.eval()
with torch.no_grad():
    guess = student(img[1400:]).argmax(1)
    t_guess = teacher(img[1400:]).argmax(1)
print(
    f"student accuracy {(guess == lab[1400:]).float().mean():.4f}, "
    f"agreement with the teacher {(guess == t_guess).float().mean():.4f}"
)
