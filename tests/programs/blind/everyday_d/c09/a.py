"""Building energy: one network, two outputs (loads and efficiency class), Keras functional API."""
import keras
import numpy as np
from keras import layers

N_TRAIN, N_TEST = 1800, 450
FEATURES, CLASSES = 8, 3
BATCH, EPOCHS = 100, 15


def make_buildings():
    rng = np.random.RandomState(19)
    n = N_TRAIN + N_TEST
    x = rng.uniform(-1.7, 1.7, (n, FEATURES))
    heating = 1.2 * x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + 0.15 * rng.randn(n)
    cooling = 0.8 * x[:, 0] + np.tanh(2 * x[:, 4]) + 0.3 * x[:, 1] + 0.15 * rng.randn(n)
    loads = np.column_stack([heating, cooling])
    loads = (loads - loads[:N_TRAIN].mean(0)) / loads[:N_TRAIN].std(0)
    total = loads.sum(1) + 0.4 * x[:, 5] + 0.2 * rng.randn(n)
    label = np.digitize(total, np.quantile(total[:N_TRAIN], [0.4, 0.75]))
    x, loads, label = x.astype("float32"), loads.astype("float32"), label.astype("int64")
    return (x[:N_TRAIN], loads[:N_TRAIN], label[:N_TRAIN]), \
           (x[N_TRAIN:], loads[N_TRAIN:], label[N_TRAIN:])


def build_model():
    inputs = keras.Input((FEATURES,), name="features")
    h = layers.Dense(64, activation="elu", name="trunk1")(inputs)
    h = layers.LayerNormalization(epsilon=1e-5, name="norm")(h)
    h = layers.Dense(48, activation="elu", name="trunk2")(h)
    loads = layers.Dense(2, name="loads")(h)
    label = layers.Dense(CLASSES, name="label")(layers.Dropout(0.15)(h))
    model = keras.Model(inputs, {"loads": loads, "label": label})
    model.compile(
        optimizer=keras.optimizers.Adagrad(learning_rate=0.04, initial_accumulator_value=0.1,
                                           epsilon=1e-10),
        loss={"loads": keras.losses.MeanSquaredError(),
              "label": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
        loss_weights={"loads": 1.0, "label": 0.4},
        metrics={"label": ["accuracy"]},
    )
    return model


def main():
    keras.utils.set_random_seed(12)
    (x_tr, loads_tr, label_tr), (x_te, loads_te, label_te) = make_buildings()
    model = build_model()
    model.fit(x_tr, {"loads": loads_tr, "label": label_tr},
              batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    out = model.predict(x_te, verbose=0)
    print(f"test loads mse {np.mean((out['loads'] - loads_te) ** 2):.4f} "
          f"label accuracy {np.mean(out['label'].argmax(1) == label_te):.4f}")


if __name__ == "__main__":
    main()
