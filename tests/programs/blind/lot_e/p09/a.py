import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import make_classification

keras.utils.set_random_seed(9)

Xall, yall = make_classification(n_samples=1100, n_features=20, n_informative=10, n_redundant=4,
                                 n_classes=3, n_clusters_per_class=3, class_sep=1.2, random_state=70)
Xall = ((Xall - Xall.mean(0)) / Xall.std(0)).astype("float32")
X_train, y_train, X_test, y_test = Xall[:880], yall[:880], Xall[880:], yall[880:]

EPOCHS, BATCH = 20, 44
steps_per_epoch = len(X_train) // BATCH

model = keras.Sequential([
    keras.Input((20,)),
    layers.Dense(48, activation="relu"),
    layers.Dense(48, activation="relu"),
    layers.Dense(3),
])
lr = keras.optimizers.schedules.CosineDecay(initial_learning_rate=5e-3, decay_steps=8 * steps_per_epoch)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=lr, epsilon=1e-12),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
train = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(len(X_train)).batch(BATCH)
hist = model.fit(train, epochs=EPOCHS, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print("epoch", i + 1, "loss", round(v, 4))
pred = model.predict(X_test, verbose=0).argmax(1)
print("test accuracy", float((pred == y_test).mean()))
