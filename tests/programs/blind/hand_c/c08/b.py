"""Denoising autoencoder on digits from plain tensors: own dropout, loss and RMSprop (PyTorch)."""
import numpy as np
import torch
from sklearn.datasets import load_digits

torch.manual_seed(77)
torch.set_num_threads(1)

pixels = (load_digits().data / 16.0).astype("float32")
pixels = pixels[np.random.RandomState(12).permutation(len(pixels))]
train, test = torch.from_numpy(pixels[:1500]), torch.from_numpy(pixels[1500:])

SIZES = (64, 40, 12, 40, 64)
RATE, LR, ALPHA, EPS, DECAY = 0.25, 2e-3, 0.95, 1e-8, 1e-4

params = []
for n_in, n_out in zip(SIZES[:-1], SIZES[1:]):
    bound = n_in ** -0.5
    params.append(((torch.rand(n_out, n_in) * 2 - 1) * bound).requires_grad_())
    params.append(((torch.rand(n_out) * 2 - 1) * bound).requires_grad_())
square_avg = [torch.zeros_like(p) for p in params]


def autoencode(x, training):
    h = x
    if training:
        mask = torch.bernoulli(torch.full_like(h, 1.0 - RATE))
        h = h * mask / (1.0 - RATE)
    n_layers = len(params) // 2
    for k in range(n_layers):
        h = h @ params[2 * k].T + params[2 * k + 1]
        if k < n_layers - 1:
            h = torch.where(h > 0, h, torch.expm1(h.clamp(max=0.0)))
    return h


def bce_from_logits(z, x):
    return (z.clamp(min=0.0) - z * x + torch.log1p(torch.exp(-z.abs()))).mean()


def train_step(x):
    loss = bce_from_logits(autoencode(x, training=True), x)
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g, s in zip(params, grads, square_avg):
            g = g + DECAY * p
            s.copy_(ALPHA * s + (1 - ALPHA) * g * g)
            p.sub_(LR * g / (s.sqrt() + EPS))
    return loss.item()


def main():
    for epoch in range(15):
        perm = torch.randperm(len(train))
        losses = [train_step(train[i]) for i in perm.split(50)]
        print(f"epoch {epoch + 1:2d}: train {np.mean(losses):.4f}")
    with torch.no_grad():
        print(f"reconstruction of the test set {bce_from_logits(autoencode(test, training=False), test).item():.4f}")


if __name__ == "__main__":
    main()
