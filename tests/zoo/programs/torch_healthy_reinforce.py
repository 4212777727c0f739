"""REINFORCE on a bandit-like task: a noisy loss that means little, rewards that rise."""

import torch
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)
best = torch.randn(4, 6)
policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 6))
optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
baseline = 0.0
for step in range(500):
    state = torch.randn(32, 4)
    distribution = torch.distributions.Categorical(logits=policy(state))
    action = distribution.sample()
    reward = ((state @ best).argmax(1) == action).float() + 0.3 * torch.randn(32)
    loss = -(distribution.log_prob(action) * (reward - baseline)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline = 0.95 * baseline + 0.05 * reward.mean().item()
print(loss.item(), baseline)
