"""A mean teacher: a copy of the model that is averaged, not trained."""

import copy

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
student = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad = False
optimizer = torch.optim.Adam(student.parameters(), lr=2e-3)
for step in range(400):
    batch = torch.randint(0, len(x), (64,))
    out = student(x[batch])
    with torch.no_grad():
        wish = teacher(x[batch]).softmax(1)
    loss = nn.functional.cross_entropy(out, y[batch]) + 0.1 * ((out.softmax(1) - wish) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for t, s in zip(teacher.parameters(), student.parameters()):
            t.lerp_(s, 0.02)
teacher.eval()
print(loss.item(), (teacher(x_test).argmax(1) == y_test).float().mean().item())
