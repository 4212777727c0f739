import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_diabetes

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(30).permutation(len(X))
X, y = X[perm], y[perm]
X = (X / X[:350].std(0)).astype("float32")
y = ((y - y[:350].mean()) / y[:350].std()).astype("float32").reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:350], y[:350], X[350:], y[350:]

keras.utils.set_random_seed(55)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        l2 = keras.regularizers.L2(2e-3)
        self.h1 = layers.Dense(32, activation="elu", kernel_initializer="he_normal", kernel_regularizer=l2)
        self.bn = layers.BatchNormalization(momentum=0.95, epsilon=1e-3)
        self.drop1 = layers.Dropout(0.2)
        self.h2 = layers.Dense(16, activation="elu", kernel_initializer="he_normal", kernel_regularizer=l2)
        self.drop2 = layers.Dropout(0.1)
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        x = self.drop1(self.bn(self.h1(x), training=training), training=training)
        x = self.drop2(self.h2(x), training=training)
        return self.out(x)


net = Net()
net(X_train[:1])
huber = keras.losses.Huber(delta=1.0)
opt = keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = huber(yb, net(xb, training=True)) + tf.add_n(net.losses)
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(350, seed=55).batch(32)
for epoch in range(30):
    total = 0.0
    for xb, yb in ds:
        total += float(train_step(xb, yb)) * len(xb)
    print(f"Epoch {epoch + 1}/30 loss: {total / 350:.4f}")

pred = net(X_test, training=False).numpy()
print("test huber", float(huber(y_test, pred)))
print("test mae  ", float(np.abs(pred - y_test).mean()))
