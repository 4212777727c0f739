"""What two runs declare, brought to one vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from auditor.compare.manifests import canonical, differences, not_compared, same

TORCH: dict[str, Any] = {
    "framework": "torch",
    "model": {"class": "Net", "parameters": 100, "layers": [{"name": "fc1", "class": "Linear"}]},
    "init": {"fc1.weight": {"mean": 0.0, "std": 0.07}},
    "optimizer": {
        "class": "torch.optim.adam.Adam",
        "groups": [
            {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0, "amsgrad": False, "foreach": None,
             "parameters": ["fc1.weight"]},
        ],
    },
    "loss": {"class": "torch.nn.modules.loss.CrossEntropyLoss", "reduction": "mean", "ignore_index": -100},
    "seeds": {"torch": 1},
    "environment": {"python": "3.11"},
}  # fmt: skip
KERAS: dict[str, Any] = {
    "framework": "keras",
    "model": {"class": "Sequential", "parameters": 100, "layers": [{"class": "Dense", "units": 3}]},
    "init": {"weights": {"fc1/kernel": {"mean": 0.0, "std": 0.1}}, "seeds": {}},
    "optimizer": {
        "class": "Adam",
        "hyperparameters": {
            "name": "adam", "learning_rate": float(np.float32(0.001)), "weight_decay": None, "clipnorm": None,
            "use_ema": False, "ema_momentum": 0.99, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False,
        },
    },
    "loss": {
        "class": "SparseCategoricalCrossentropy",
        "config": {"from_logits": True, "reduction": "sum_over_batch_size"},
    },
    "environment": {"python": "3.11"},
}  # fmt: skip


def changed(base: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """A manifest with other sections."""
    return base | sections


def test_equal_models_of_two_frameworks_differ_in_epsilon_alone() -> None:
    """The defaults of torch's and Keras's Adam: 1e-8 and 1e-7. Everything else is spelling."""
    found = {item["parameter"]: (item["a"], item["b"]) for item in differences(TORCH, KERAS)}
    assert found == {"framework": ("torch", "keras"), "optimizer.epsilon": (1e-8, 1e-7)}


def test_what_cannot_be_compared_is_named() -> None:
    """Layers in a framework's own spelling are not silently taken for equal."""
    assert {"init", "model.layers", "model.class"} <= set(not_compared(TORCH, KERAS))
    assert not_compared(TORCH, TORCH) == []


def test_a_manifest_does_not_differ_from_itself() -> None:
    """Whatever is in it."""
    assert differences(TORCH, TORCH) == []
    assert differences(KERAS, KERAS) == []


def test_within_one_framework_layers_are_compared() -> None:
    """A layer more, a class changed: both are configuration."""
    other = changed(TORCH, model={"class": "Net", "parameters": 120, "layers": [{"name": "fc1", "class": "Conv2d"}]})
    found = {item["parameter"]: item for item in differences(TORCH, other)}
    assert set(found) == {"model.parameters", "model.layers.0.class"}
    assert all(item["configuration"] for item in found.values())
    assert found["model.parameters"]["how"] == "declared"


def test_surroundings_are_listed_and_are_no_configuration() -> None:
    """Another Python, another seed: worth a line, not a different configuration."""
    other = changed(TORCH, environment={"python": "3.13"}, seeds={"torch": 2})
    assert [item["configuration"] for item in differences(TORCH, other)] == [False, False]


def test_weights_drawn_differently_are_one_line() -> None:
    """Twelve statistics of a thousand tensors would bury everything else."""
    other = changed(TORCH, init={"fc1.weight": {"mean": 0.1, "std": 0.07}})
    (found,) = differences(TORCH, other)
    assert (found["parameter"], found["how"], found["configuration"]) == ("init.fc1.weight", "measured", False)


def test_a_clip_that_only_one_framework_has_counts_when_it_is_on() -> None:
    """Switched off it is spelling, switched on a difference."""
    clipped = {**KERAS["optimizer"]["hyperparameters"], "clipnorm": 1.0}
    found = differences(TORCH, changed(KERAS, optimizer={"class": "Adam", "hyperparameters": clipped}))
    assert ("optimizer.clipnorm", None, 1.0) in [(item["parameter"], item["a"], item["b"]) for item in found]


def test_two_parameter_groups_stay_two() -> None:
    """Their options are not merged into one optimizer's."""
    groups = [{"lr": 0.1}, {"lr": 0.2}]
    flat = canonical({"optimizer": {"class": "SGD", "groups": groups}})
    assert flat["optimizer.groups.0.learning_rate"] == 0.1
    assert flat["optimizer.groups.1.learning_rate"] == 0.2


def test_numbers_are_equal_as_float32() -> None:
    """Keras holds 0.001 as a float32; NaN equals NaN; True is no number."""
    assert same(0.001, float(np.float32(0.001)))
    assert same(float("nan"), float("nan"))
    assert same(1, 1.0)
    assert not same(0.001, 0.0011)
    assert not same(True, 1)
    assert same(1e300, 1e300)
    assert same([1, 2.0], [1.0, 2])
    assert not same([1], [1, 2])


def test_what_all_groups_have_alike_is_the_optimizers() -> None:
    """Decay on kernels alone takes two groups, of one rate; what differs between them stays theirs."""
    held = TORCH["optimizer"]["groups"][0]
    groups = [held | {"weight_decay": 0.01}, held | {"parameters": ["fc1.bias"]}]
    flat = canonical(changed(TORCH, optimizer={"class": "Adam", "groups": groups}))
    assert (flat["optimizer.learning_rate"], flat["optimizer.beta_1"]) == (0.001, 0.9)
    assert [flat[f"optimizer.groups.{at}.weight_decay"] for at in (0, 1)] == [0.01, 0]
    assert "optimizer.weight_decay" not in flat
    grouped = changed(TORCH, optimizer={"class": "Adam", "groups": groups})
    told = [item["parameter"] for item in differences(grouped, KERAS) if item["configuration"]]
    assert told == ["optimizer.epsilon", "optimizer.groups.0.weight_decay"]


def test_a_rate_that_is_constant_is_no_schedule() -> None:
    """scikit-learn says so, the others say nothing."""
    schedule = {"class": "constant", "per": "epoch"}
    for told, keys in ((schedule, []), (schedule | {"class": "invscaling"}, ["optimizer.schedule.class"])):
        flat = canonical({"optimizer": {"class": "sgd", "schedule": told}})
        assert [key for key in flat if key.endswith("schedule.class")] == keys


def test_a_loss_that_keras_made_of_a_function_is_that_function() -> None:
    """``compile(loss="mse")`` wraps one; a function of the program's own stays a wrapper."""
    for function, name in (("mean_squared_error", "squared_error"), ("mine", "lossfunctionwrapper")):
        told = {"class": "LossFunctionWrapper", "config": {"fn": function}}
        assert canonical({"loss": told})["loss.class"] == name


def test_nesterov_without_a_momentum_is_no_setting() -> None:
    """scikit-learn says it of a momentum of zero."""
    for momentum, keys in ((0.0, []), (0.9, ["optimizer.nesterov"])):
        flat = canonical({"optimizer": {"class": "sgd", "momentum": momentum, "nesterov": True}})
        assert [key for key in flat if key.endswith("nesterov")] == keys
