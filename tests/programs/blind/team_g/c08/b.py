"""Fraud detection with weights for the rare class: Keras, fit with an own compute_loss."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers, ops
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score


def make_payments(n, seed):
    """Payments with twenty features, about one in fifteen fraudulent; a weight for every row."""
    rules = np.random.RandomState(12)
    mix = rules.normal(0, 1, (6, 20))
    rng = np.random.RandomState(seed)
    z = rng.normal(0, 1, (n, 6))
    score = 1.6 * z[:, 0] * z[:, 1] + 1.2 * np.maximum(z[:, 2], 0) ** 2 - 0.9 * z[:, 3] - 4.4
    fraud = (rng.uniform(size=n) < 1 / (1 + np.exp(-score))).astype("int64")
    x = z @ mix / 2.0 + rng.normal(0, 0.25, (n, 20))
    weight = np.where(fraud == 1, 6.0, 0.6)
    return x.astype("float32"), fraud, weight.astype("float32")


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(4)
ALPHA = 0.5


def dense(n_in, n_out, activation=None):
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(n_out, activation=activation,
                        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
                        bias_initializer=keras.initializers.RandomUniform(-bound, bound))


class FraudModel(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Weighted mean of the cross-entropy; the penalty is shared out over the batch's total weight."""
        z = ops.squeeze(y_pred, -1)
        y = ops.reshape(ops.cast(y, z.dtype), ops.shape(z))
        w = ops.reshape(sample_weight, ops.shape(z))
        each = ops.softplus(z) - y * z
        penalty = 0.5 * ALPHA * sum(ops.sum(ops.square(l.kernel)) for l in self.layers if hasattr(l, "kernel"))
        return (ops.sum(w * each) + penalty) / ops.sum(w)


inp = keras.Input((20,))
h = dense(20, 32, "relu")(inp)
h = dense(32, 16, "relu")(h)
model = FraudModel(inp, dense(16, 1)(h))
model.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8))

x, fraud, weight = make_payments(5050, 1)
xt, fraud_t, weight_t = make_payments(4000, 2)
model.fit(x, fraud, sample_weight=weight, batch_size=100, epochs=10, shuffle=True, verbose=2)

p = tf.sigmoid(model.predict(xt, verbose=0)[:, 0]).numpy()
print(f"test weighted log loss {log_loss(fraud_t, p, sample_weight=weight_t):.4f}")
print(f"auc {roc_auc_score(fraud_t, p):.4f}  average precision {average_precision_score(fraud_t, p):.4f}")
