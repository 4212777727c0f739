import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import make_classification

torch.manual_seed(90)

Xall, yall = make_classification(n_samples=1100, n_features=20, n_informative=10, n_redundant=4,
                                 n_classes=3, n_clusters_per_class=3, class_sep=1.2, random_state=70)
Xall = ((Xall - Xall.mean(0)) / Xall.std(0)).astype("float32")
X_train, y_train, X_test, y_test = Xall[:880], yall[:880], Xall[880:], yall[880:]

EPOCHS, BATCH = 20, 44
steps_per_epoch = len(X_train) // BATCH

model = nn.Sequential(
    nn.Linear(20, 48), nn.ReLU(),
    nn.Linear(48, 48), nn.ReLU(),
    nn.Linear(48, 3),
)
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-12)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8 * steps_per_epoch)
loss_fn = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
                    batch_size=BATCH, shuffle=True)
for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(xb)
    print("epoch", epoch + 1, "loss", round(total / len(X_train), 4))
with torch.no_grad():
    pred = model(torch.from_numpy(X_test)).argmax(1).numpy()
print("test accuracy", float((pred == y_test).mean()))
