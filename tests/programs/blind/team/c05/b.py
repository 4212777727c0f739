"""Customer survival: Cox partial likelihood on mini-batches with a small network, Keras."""
import numpy as np
import keras
from keras import layers, ops


N_FEAT = 12


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.randn(n, N_FEAT)
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * np.tanh(2 * x[:, 2]) * x[:, 3] + 0.5 * (x[:, 4] > 0)
    t = rng.exponential(np.exp(-risk))
    c = rng.exponential(1.5, n)
    time = np.minimum(t, c)
    event = (t <= c).astype("float32")
    return x.astype("float32"), time.astype("float32"), event


def concordance(time, event, risk):
    num = den = 0.0
    for i in np.flatnonzero(event):
        later = time > time[i]
        num += (risk[i] > risk[later]).sum()
        den += later.sum()
    return num / den


x_tr, t_tr, e_tr = make_data(1280, 30)
x_te, t_te, e_te = make_data(500, 31)
BATCH, EPOCHS = 64, 12
LR, DECAY = 2e-3, 0.05

keras.utils.set_random_seed(5)

model = keras.Sequential([
    keras.Input((N_FEAT,)),
    layers.Dense(32, activation="elu"),
    layers.Dropout(0.1),
    layers.Dense(16, activation="elu"),
    layers.Dense(1, use_bias=False),
])


def cox_loss(y_true, y_pred):
    """Negative log partial likelihood per event; y_true holds (time, event)."""
    time, event = y_true[:, 0], y_true[:, 1]
    risk = y_pred[:, 0]
    at_risk = time[None, :] >= time[:, None]
    lse = ops.logsumexp(ops.where(at_risk, risk[None, :], -1e30), axis=1)
    return -ops.sum((risk - lse) * event) / ops.sum(event)


optimizer = keras.optimizers.AdamW(learning_rate=LR, weight_decay=DECAY,
                                   beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.exclude_from_weight_decay(var_names=["bias"])
model.compile(optimizer=optimizer, loss=cox_loss)
y_tr = np.stack([t_tr, e_tr], axis=1)

# training
history = model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, l in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

risk = model.predict(x_te, verbose=0)
test_loss = float(cox_loss(ops.convert_to_tensor(np.stack([t_te, e_te], 1)), ops.convert_to_tensor(risk)))
print(f"test partial likelihood {test_loss:.4f}  c-index {concordance(t_te, e_te, risk[:, 0]):.4f}")
