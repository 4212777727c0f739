"""Time to churn as a discrete-time survival model on person-month rows, TensorFlow loop."""
import numpy as np
import tensorflow as tf
import keras

MONTHS = 10
ALPHA = 0.05


def make_data():
    """Customers with 9 covariates, followed for up to 10 months; churn with censoring."""
    rng = np.random.default_rng(73)
    n = 1100
    x = rng.normal(size=(n, 9))
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * x[:, 2] * (x[:, 3] > 0) + 0.5 * np.sin(2 * x[:, 4])
    base = np.linspace(-3.2, -1.4, MONTHS)
    hazard = 1 / (1 + np.exp(-(base[None] + risk[:, None])))
    hit = rng.random((n, MONTHS)) < hazard
    churn = np.where(hit.any(1), hit.argmax(1), MONTHS)
    censor = rng.integers(2, MONTHS + 1, n)
    event = (churn < censor).astype(int)
    last = np.where(event == 1, churn, censor - 1)  # last month at risk
    x = x.astype(np.float32)
    cut = 850
    return (x[:cut], last[:cut], event[:cut]), (x[cut:], last[cut:], event[cut:])


def person_months(x, last, event):
    """One row per customer and month at risk: covariates, month one-hot; target: churned in this month."""
    who = np.repeat(np.arange(len(x)), last + 1)
    month = np.concatenate([np.arange(m + 1) for m in last])
    rows = np.concatenate([x[who], np.eye(MONTHS, dtype=np.float32)[month]], axis=1)
    target = ((month == last[who]) & (event[who] == 1)).astype(int)
    return rows, target


def concordance(risk, last, event):
    earlier = (last[:, None] < last[None, :]) & (event[:, None] == 1)
    return float(((risk[:, None] > risk[None, :]) * earlier).sum() / earlier.sum())


def report(p_rows, target, p_grid, last, event):
    nll = -np.mean(target * np.log(p_rows) + (1 - target) * np.log(1 - p_rows))
    survival = np.prod(1 - p_grid, axis=1)
    print(f"test: nll per person-month {nll:.4f}  concordance {concordance(-survival, last, event):.3f}")


def build_model():
    model = keras.Sequential([keras.Input((9 + MONTHS,))])
    fan_in = 9 + MONTHS
    for units, act in ((24, "relu"), (12, "relu"), (1, None)):
        limit = (6.0 / (fan_in + units)) ** 0.5
        model.add(keras.layers.Dense(units, activation=act,
                                     kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
                                     bias_initializer=keras.initializers.RandomUniform(-limit, limit)))
        fan_in = units
    return model


def main():
    keras.utils.set_random_seed(0)
    train, (xv, last, event) = make_data()
    rows, target = person_months(*train)
    data = tf.data.Dataset.from_tensor_slices((rows, target[:, None].astype("float32")))
    data = data.shuffle(len(rows), reshuffle_each_iteration=True).batch(128, drop_remainder=False)
    model = build_model()
    optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            n = tf.cast(tf.shape(x)[0], tf.float32)
            l2 = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
            loss = bce(y, model(x, training=True)) + 0.5 * ALPHA * l2 / n
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    for epoch in range(12):
        mean = keras.metrics.Mean()
        for x, y in data:
            mean.update_state(step(x, y), sample_weight=len(x))
        print(f"epoch {epoch + 1}: {float(mean.result()):.4f}")

    def hazard(r):
        return tf.sigmoid(model(r, training=False)).numpy()[:, 0]

    rows_v, target_v = person_months(xv, last, event)
    all_months, _ = person_months(xv, np.full(len(xv), MONTHS - 1), np.zeros(len(xv), dtype=int))
    report(hazard(rows_v), target_v, hazard(all_months).reshape(len(xv), MONTHS), last, event)


if __name__ == "__main__":
    main()
