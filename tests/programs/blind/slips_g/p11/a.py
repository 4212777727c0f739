"""Building energy: two loads and an efficiency class from one network (Keras, functional API)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

BATCH_SIZE = 50
EPOCHS = 18
LEARNING_RATE = 8e-3
DROP_EPOCHS = (10, 15)


def make_buildings():
    """Building descriptors -> heating and cooling load, and an efficiency class."""
    rng = np.random.default_rng(4711)
    n = 1500
    x = rng.uniform(-1, 1, (n, 9))
    area, height, glazing, roof = x[:, 0], x[:, 1], x[:, 2], x[:, 3]
    heating = 1.5 * area * height + np.exp(glazing) - 1.2 * roof**2 + 0.5 * x[:, 4]
    cooling = 2.0 * glazing * np.cos(2 * x[:, 5]) + 0.8 * area + 0.6 * np.abs(x[:, 6])
    loads = np.column_stack([heating, cooling]) + 0.1 * rng.normal(size=(n, 2))
    loads = (loads - loads[:1200].mean(0)) / loads[:1200].std(0)
    score = heating + cooling + 0.3 * rng.normal(size=n)
    grade = np.digitize(score, np.quantile(score[:1200], [1 / 3, 2 / 3]))
    x, loads, grade = x.astype("float32"), loads.astype("float32"), grade.astype("int64")
    return (x[:1200], loads[:1200], grade[:1200]), (x[1200:], loads[1200:], grade[1200:])


def build_model(n_features=9):
    inputs = keras.Input((n_features,))
    x = layers.Dense(64)(inputs)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    x = layers.Dense(32)(x)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    loads = layers.Dense(2, name="loads")(x)
    grade = layers.Dense(3, name="grade")(x)
    model = keras.Model(inputs, {"loads": loads, "grade": grade})
    model.compile(
        optimizer=keras.optimizers.Adam(
            LEARNING_RATE, beta_1=0.9, beta_2=0.999, epsilon=1e-12, clipvalue=0.05
        ),
        loss={
            "loads": keras.losses.MeanSquaredError(),
            "grade": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"loads": 1.0, "grade": 0.5},
        metrics={"grade": "accuracy"},
    )
    return model


def schedule(epoch, lr):
    return LEARNING_RATE * 0.3 ** sum(epoch >= e for e in DROP_EPOCHS)


def main():
    keras.utils.set_random_seed(64)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    (x, loads, grade), (x_test, loads_test, grade_test) = make_buildings()
    model = build_model(x.shape[1])
    model.fit(
        x,
        {"loads": loads, "grade": grade},
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=[keras.callbacks.LearningRateScheduler(schedule)],
        verbose=2,
    )
    pred = model.predict(x_test, verbose=0)
    print(f"test load mse {np.mean((pred['loads'] - loads_test) ** 2):.4f}")
    print(f"test grade accuracy {np.mean(pred['grade'].argmax(1) == grade_test):.4f}")


if __name__ == "__main__":
    main()
