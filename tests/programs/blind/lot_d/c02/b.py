import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(3)
BATCH, EPOCHS, LR = 50, 8, 0.02

data = load_digits()
images = (data.images / 16.0).astype("float32")
labels = data.target.astype("int64")
perm = np.random.RandomState(42).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = torch.from_numpy(images[:1450, None]), torch.from_numpy(labels[:1450])
x_test, y_test = torch.from_numpy(images[1450:, None]), torch.from_numpy(labels[1450:])


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.fc = nn.Linear(24 * 2 * 2, 10)
        for layer in (self.conv1, self.conv2, self.fc):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


model = SmallCNN()
optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, nesterov=True)

for epoch in range(EPOCHS):
    model.train()
    losses = []
    for i in range(0, len(x_train), BATCH):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x_train[i:i + BATCH]), y_train[i:i + BATCH])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    logits = model(x_test)
    print("test loss", F.cross_entropy(logits, y_test).item())
    print("test accuracy", (logits.argmax(1) == y_test).float().mean().item())
