"""Fraud detection with weighted classes: Keras, compile and fit."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import keras
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score


def make_payments(n=5000, seed=21):
    """Card payments, a few per cent of them fraud."""
    r = np.random.RandomState(seed)
    amount = np.exp(r.normal(3.2, 1.0, n))
    night = r.uniform(size=n) < 0.2
    abroad = r.uniform(size=n) < 0.15
    age_days = r.gamma(2.0, 200.0, n)
    tries = r.poisson(1.0 + 0.8 * abroad)
    other = r.normal(size=(n, 7))
    z = (-4.3 + 0.9 * np.log(amount) * abroad + 1.3 * night * (tries > 1) - 0.8 * np.log1p(age_days) / 3
         + 0.9 * other[:, 0] * other[:, 1] + 1.1 * other[:, 2] + 0.5 * tries)
    y = (r.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("int64")
    x = np.column_stack([np.log(amount), night, abroad, np.log1p(age_days), tries, other])
    x = (x - x[:4000].mean(0)) / x[:4000].std(0)
    return x.astype("float32"), y


BATCH = 80
EPOCHS = 10
LR = 2e-3
HIDDEN = (32, 16)

X, y = make_payments()
X_tr, y_tr, X_te, y_te = X[:4000], y[:4000], X[4000:], y[4000:]
n_fraud = int(y_tr.sum())
# frauds weigh more: n / (2 n_class), as in "balanced"
w_class = np.array([4000 / (2 * (4000 - n_fraud)), 4000 / (2 * n_fraud)])
w_tr = w_class[y_tr].astype("float32")
w_te = w_class[y_te].astype("float32")

keras.utils.set_random_seed(1)


def dense(n_in, n_out, activation):
    # kernel and bias share the bound of the uniform law
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound))


model = keras.Sequential([
    keras.Input((12,)),
    dense(12, HIDDEN[0], "relu"),
    dense(HIDDEN[0], HIDDEN[1], "relu"),
    dense(HIDDEN[1], 1, None),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    # weighted mean: divided by the sum of the weights in the batch
    loss=keras.losses.BinaryCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
)
log = model.fit(X_tr, y_tr.astype("float32")[:, None], sample_weight=w_tr, batch_size=BATCH, epochs=EPOCHS,
                shuffle=True, verbose=0)
print("fraud share %.3f, epochs %d, steps %d" % (n_fraud / 4000, len(log.epoch), int(model.optimizer.iterations)))
print("last epochs' weighted log loss", [round(v, 4) for v in log.history["loss"][-3:]])

z = model.predict(X_te, batch_size=500, verbose=0)[:, 0].astype("float64")
p = 1 / (1 + np.exp(-z))
print("test weighted log loss %.4f  auc %.4f  average precision %.4f" % (
    log_loss(y_te, p, sample_weight=w_te), roc_auc_score(y_te, p), average_precision_score(y_te, p)))
