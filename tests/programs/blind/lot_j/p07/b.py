import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

x, t = load_digits(return_X_y=True)
x = (x / 8.0 - 1.0).astype("float32").reshape(-1, 1, 8, 8)
p = np.random.default_rng(12).permutation(len(x))
x, t = torch.from_numpy(x[p]), torch.from_numpy(t[p].astype("int64"))
x_train, t_train, x_test, t_test = x[:1300], t[:1300], x[1300:], t[1300:]

torch.manual_seed(41)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(24, 32), nn.ReLU(),
            nn.Linear(32, 10), nn.Softmax(dim=1),
        )
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.classifier(self.features(x).mean(dim=(2, 3)))


model = ConvNet()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1e-12)
loader = DataLoader(TensorDataset(x_train, t_train), batch_size=50, shuffle=True)

for epoch in range(1, 16):
    model.train()
    loss_sum = correct = 0
    for xb, tb in loader:
        optimizer.zero_grad()
        out = model(xb)
        loss = criterion(out, tb)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(xb)
        correct += (out.argmax(1) == tb).sum().item()
    model.eval()
    with torch.no_grad():
        out = model(x_test)
        val_loss = criterion(out, t_test).item()
        val_acc = (out.argmax(1) == t_test).float().mean().item()
    print(f"Epoch {epoch:2d}/15  loss {loss_sum / 1300:.4f}  accuracy {correct / 1300:.4f}  "
          f"val_loss {val_loss:.4f}  val_accuracy {val_acc:.4f}")
