"""Q-learning from logged transitions of a toy arena; scikit-learn network fed batch by batch.

The network scores (state, one-hot action); targets come from a copy that is
refreshed every SYNC steps.  Before the first refresh Q is taken to be zero.
"""
import copy

import numpy as np
from sklearn.neural_network import MLPRegressor

GAMMA, SYNC, STEPS, BATCH, WIDTH = 0.9, 25, 500, 64, 40
MOVES = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype="float32") * 0.25
GOAL = np.array([0.6, 0.6], dtype="float32")


def env_step(s, a, noise=0.0):
    s2 = np.clip(s + MOVES[a] + noise, -1, 1)
    done = np.sqrt(((s2 - GOAL) ** 2).sum(-1)) < 0.3
    return s2.astype("float32"), np.where(done, 1.0, -0.05).astype("float32"), done.astype("float32")


def log_transitions(n=4000):
    rng = np.random.default_rng(77)
    s = rng.uniform(-1, 1, (n, 2)).astype("float32")
    a = rng.integers(0, 4, n)
    return (s, a) + env_step(s, a, 0.03 * rng.normal(size=(n, 2)))


S, A, S2, R, DONE = log_transitions()
SA = np.hstack([S, np.eye(4, dtype="float32")[A]])


def q_values(net, s):
    if net is None:
        return np.zeros((len(s), 4), "float32")
    pairs = np.hstack([np.repeat(s, 4, 0), np.tile(np.eye(4, dtype="float32"), (len(s), 1))])
    return net.predict(pairs).reshape(-1, 4)


def evaluate(net, horizon=25):
    g = np.linspace(-0.95, 0.95, 12, dtype="float32")
    s = np.stack(np.meshgrid(g, g), -1).reshape(-1, 2)
    alive, ret = np.ones(len(s)), np.zeros(len(s))
    for k in range(horizon):
        s2, r, d = env_step(s, q_values(net, s).argmax(1))
        ret += alive * GAMMA ** k * r
        alive *= 1 - d
        s = s2
    return f"reached {1 - alive.mean():.3f} return {ret.mean():.3f}"


net = MLPRegressor(hidden_layer_sizes=(WIDTH, WIDTH), activation="relu", solver="adam", alpha=0.0,
                   batch_size=BATCH, learning_rate_init=3e-3, beta_1=0.9, beta_2=0.999,
                   epsilon=1e-8, random_state=21)
target = None
picker = np.random.default_rng(5)

# ---- training
for step in range(1, STEPS + 1):
    i = picker.integers(0, len(R), BATCH)
    backup = R[i] + GAMMA * (1 - DONE[i]) * q_values(target, S2[i]).max(1)
    net.partial_fit(SA[i], backup.astype("float32"))
    if step % SYNC == 0:
        target = copy.deepcopy(net)
    if step % 100 == 0:
        print(f"step {step} half mse {net.loss_:.5f} {evaluate(net)}")
