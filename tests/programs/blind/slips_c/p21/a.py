import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(40)

X, y = load_digits(return_X_y=True)
shuffle = np.random.RandomState(99).permutation(X.shape[0])
X, y = (X[shuffle] / 16.0).astype(np.float32), y[shuffle]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

sizes = [64, 40, 20, 10]
alpha, batch = 0.2, 50
stack = [keras.Input((64,))]
for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:])):
    limit = float(np.sqrt(6.0 / (n_in + n_out)))
    stack.append(keras.layers.Dense(
        n_out,
        activation="tanh" if i < 2 else None,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        kernel_regularizer=keras.regularizers.L2(alpha / (2.0 * batch))))
model = keras.Sequential(stack)
optimizer = keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def update(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(yb, logits))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))


rng = np.random.RandomState(8)
for epoch in range(15):
    order = rng.permutation(1500)
    for k in range(0, 1500, batch):
        rows = order[k:k + batch]
        update(tf.constant(X_train[rows]), tf.constant(y_train[rows]))

prob = tf.nn.softmax(model(X_test, training=False)).numpy()
print("log loss %.4f" % -np.mean(np.log(prob[np.arange(len(y_test)), y_test])),
      "accuracy %.4f" % np.mean(prob.argmax(1) == y_test))
