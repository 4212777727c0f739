"""Cox proportional hazards with a small network (DeepSurv), Keras fit()."""
import numpy as np
import keras
from keras import ops


def cohort(n=2560 + 600):
    rng = np.random.default_rng(31337)
    x = rng.normal(size=(n, 12)).astype("float32")
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.6 * np.maximum(x[:, 2], 0) + 0.5 * x[:, 3] * x[:, 4]
    death = rng.exponential(1.0, n) * np.exp(-risk)
    censor = rng.exponential(2.0, n)
    time = np.minimum(death, censor).astype("float32")
    event = (death <= censor).astype("float32")
    return x, time, event


def concordance(risk, time, event):
    ok = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    return float(((risk[:, None] > risk[None, :]) & ok).sum() / ok.sum())


def cox_loss(y_true, y_pred):
    """Negative partial log-likelihood of the batch (Breslow), per observed event."""
    time, event = y_true[:, 0], y_true[:, 1]
    risk = y_pred[:, 0]
    at_risk = time[None, :] >= time[:, None]
    scores = ops.where(at_risk, risk[None, :], -1e9)
    log_sum = ops.logsumexp(scores, axis=1)
    return ops.sum((log_sum - risk) * event) / ops.maximum(ops.sum(event), 1.0)


def build_model():
    return keras.Sequential([
        keras.Input((12,)),
        keras.layers.Dense(32, activation="selu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(16, activation="selu"),
        keras.layers.Dense(1, use_bias=False),
    ])


if __name__ == "__main__":
    keras.utils.set_random_seed(100)
    x, time, event = cohort()
    y = np.stack([time, event], axis=1)
    n = 2560
    model = build_model()
    optimizer = keras.optimizers.Nadam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    model.compile(optimizer=optimizer, loss=cox_loss)
    model.fit(x[:n], y[:n], batch_size=128, epochs=15, shuffle=True, verbose=2)
    r = model.predict(x[n:], verbose=0)
    loss = float(cox_loss(ops.convert_to_tensor(y[n:]), ops.convert_to_tensor(r)))
    print("test partial likelihood %.4f, concordance %.4f" % (loss, concordance(r[:, 0], time[n:], event[n:])))
