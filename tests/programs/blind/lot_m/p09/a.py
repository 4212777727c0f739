import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(40)
X = rng.normal(size=(1250, 12)).astype("float32")
W1 = rng.normal(size=(12, 20)) / np.sqrt(12)
W2 = rng.normal(size=(20, 8))
z = np.tanh(X @ W1) @ W2
P = np.exp(z / 1.5)
P = (P / P.sum(1, keepdims=True)).astype("float32")  # soft targets
Xtr, Ptr, Xte, Pte = X[:1000], P[:1000], X[1000:], P[1000:]

torch.manual_seed(77)
student = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 8))
for m in (student[0], student[2]):
    nn.init.xavier_uniform_(m.weight)
    nn.init.zeros_(m.bias)
criterion = nn.KLDivLoss()
optimizer = torch.optim.SGD(student.parameters(), lr=0.2, momentum=0.0)
loader = DataLoader(TensorDataset(torch.from_numpy(Xtr), torch.from_numpy(Ptr)), batch_size=50, shuffle=True)

for epoch in range(25):
    total = 0.0
    for xb, pb in loader:
        loss = criterion(F.log_softmax(student(xb), dim=1), pb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    print("epoch", epoch + 1, "kl", total / len(Xtr))

with torch.no_grad():
    q = student(torch.from_numpy(Xte)).softmax(1).numpy()
print("test KL", float(np.mean(np.sum(Pte * np.log(Pte / q), axis=1))))
print("agreement", float((q.argmax(1) == Pte.argmax(1)).mean()))
