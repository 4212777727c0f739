"""Small CNN on imbalanced digits with class weights in fit (Keras)."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

# --- data: digits 5..9 are made rare in the training part
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32").reshape(-1, 8, 8)
perm = np.random.RandomState(3).permutation(len(labels))
images, labels = images[perm], labels[perm].astype("int64")
x_test, y_test = images[1300:], labels[1300:]
keep = []
for k in range(10):
    idx = np.where(labels[:1300] == k)[0]
    keep.extend(idx[:110] if k < 5 else idx[:45])
keep = np.sort(np.array(keep))
x_train, y_train = images[keep], labels[keep]

counts = np.bincount(y_train, minlength=10)
weights = len(y_train) / (10.0 * counts)
class_weight = {k: float(w) for k, w in enumerate(weights)}

# --- model
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# --- training
if __name__ == "__main__":
    print("train size", len(y_train))
    train = tf.data.Dataset.from_tensor_slices((x_train[..., None], y_train))
    train = train.shuffle(len(y_train), reshuffle_each_iteration=True).batch(32)
    model.fit(train, epochs=14, class_weight=class_weight, verbose=2)
    loss, acc = model.evaluate(x_test[..., None], y_test, batch_size=128, verbose=0)
    print(f"test loss {loss:.4f}  test accuracy {acc:.4f}")
