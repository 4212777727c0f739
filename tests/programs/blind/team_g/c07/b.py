"""Cox survival network as a subclassed model with its own training loop."""
import numpy as np
import tensorflow as tf
import keras


def make_patients(n, seed):
    """Twelve covariates, time to churn (exponential, nonlinear risk) and whether it was seen."""
    rng = np.random.RandomState(seed)
    x = rng.normal(0, 1, (n, 12))
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * x[:, 2] * x[:, 3] + 0.5 * np.abs(x[:, 4]) + 0.6 * np.sin(2 * x[:, 5])
    time = rng.exponential(1.0, n) * np.exp(-risk)
    censor = rng.exponential(2.5, n)
    event = (time <= censor).astype("float32")
    return x.astype("float32"), np.stack([np.minimum(time, censor), event], 1).astype("float32")


def concordance(target, risk):
    time, event = target[:, 0], target[:, 1]
    comparable = (time[:, None] < time[None, :]) & (event[:, None] > 0)
    return (comparable & (risk[:, None] > risk[None, :])).sum() / comparable.sum()


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(55)


class RiskModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = keras.layers.Dense(48, use_bias=False, kernel_initializer="he_uniform")
        self.norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=0.001)
        self.drop = keras.layers.Dropout(0.2)
        self.narrow = keras.layers.Dense(24, kernel_initializer="he_uniform")
        self.score = keras.layers.Dense(1, use_bias=False)

    def call(self, x, training=None):
        h = tf.nn.relu(self.norm(self.wide(x), training=training))
        h = tf.nn.elu(self.narrow(self.drop(h, training=training)))
        return self.score(h)[:, 0]


def partial_likelihood(time, event, risk):
    later = time[tf.newaxis, :] >= time[:, tf.newaxis]
    everyone = tf.where(later, risk[tf.newaxis, :], tf.float32.min)
    per_subject = tf.reduce_logsumexp(everyone, axis=1) - risk
    return tf.reduce_sum(event * per_subject) / tf.maximum(tf.reduce_sum(event), 1.0)


x, target = make_patients(1850, 1)
xt, tt = make_patients(800, 2)
net = RiskModel()
net(x[:2], training=False)
opt = keras.optimizers.AdamW(learning_rate=0.003, weight_decay=0.05, epsilon=1e-7)
opt.exclude_from_weight_decay(var_list=[v for v in net.trainable_variables if len(v.shape) == 1])


@tf.function(reduce_retracing=True)
def update(xb, tb):
    with tf.GradientTape() as tape:
        loss = partial_likelihood(tb[:, 0], tb[:, 1], net(xb, training=True))
    gradients = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(gradients, net.trainable_variables))
    return loss


batches = tf.data.Dataset.from_tensor_slices((x, target)).shuffle(1850, seed=55).batch(100)
for epoch in range(16):
    total = 0.0
    for xb, tb in batches:
        total += float(update(xb, tb)) * len(xb)
    print("epoch", epoch + 1, "loss %.4f" % (total / len(x)))

risk = net(xt, training=False)
print("test loss %.4f  concordance %.4f"
      % (float(partial_likelihood(tt[:, 0], tt[:, 1], risk)), concordance(tt, risk.numpy())))
