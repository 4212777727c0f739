"""Breast cancer data, two logistic layers: scikit-learn's MLPClassifier as a float64 GradientTape loop."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.config.set_floatx("float64")

ALPHA = 0.05


def make_data():
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(55).permutation(len(y))
    x, y = x[order], y[order]
    x = (x - x[:440].mean(axis=0)) / x[:440].std(axis=0)
    return x[:440], y[:440], x[440:], y[440:]


def dense(fan_in, fan_out, activation=None):
    # with activation="logistic" scikit-learn draws from U(-b, b), b = sqrt(2 / (fan_in + fan_out))
    b = np.sqrt(2.0 / (fan_in + fan_out))
    return layers.Dense(fan_out, activation=activation,
                        kernel_initializer=keras.initializers.RandomUniform(-b, b),
                        bias_initializer=keras.initializers.RandomUniform(-b, b))


def make_model():
    return keras.Sequential([
        keras.Input((30,)),
        dense(30, 24, "sigmoid"),
        dense(24, 12, "sigmoid"),
        dense(12, 1),
    ])


def make_optimizer():
    return keras.optimizers.SGD(learning_rate=0.3, momentum=0.9, nesterov=False)


def make_train_step(model, optimizer):
    kernels = [layer.kernel for layer in model.layers]

    @tf.function(reduce_retracing=True)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            data_loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
            n_batch = tf.cast(tf.shape(x)[0], tf.float64)
            squares = tf.add_n([tf.reduce_sum(tf.square(k)) for k in kernels])
            loss = data_loss + 0.5 * ALPHA * squares / n_batch
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return tf.reduce_mean(loss)

    return train_step


def main():
    keras.utils.set_random_seed(77)
    x_train, y_train, x_test, y_test = make_data()
    model = make_model()
    train_step = make_train_step(model, make_optimizer())
    y_train, y_test = y_train.astype("float64")[:, None], y_test.astype("float64")[:, None]
    rng = np.random.default_rng(77)
    for epoch in range(40):
        order = rng.permutation(len(x_train))
        total = 0.0
        for start in range(0, len(order), 64):
            idx = order[start:start + 64]
            total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  loss {total / len(order):.5f}")
    logits = model(x_test, training=False).numpy()
    test_loss = np.mean(np.logaddexp(0, logits) - y_test * logits)
    print(f"test log loss {test_loss:.5f}  test accuracy {np.mean((logits > 0) == (y_test > 0.5)):.4f}")


if __name__ == "__main__":
    main()
