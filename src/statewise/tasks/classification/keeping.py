"""Estimators that are kept in files."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from statewise._runtime.forks import check_not_forked
from statewise.recurrence import CELLS
from statewise.tasks.classification import saved
from statewise.tasks.classification.estimator import MOST_MEMBERS, Estimator
from statewise.tasks.classification.frames import roles_of
from statewise.tasks.classification.inference import Networks
from statewise.tasks.classification.network import Architecture
from statewise.tasks.classification.scale import Scale
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.parts import damage_told


class Kept(Estimator):
    """What writes and reads the parts of an estimator that both kinds have."""

    def _save(self, path: Any, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write the file, with what a kind has of its own."""
        self._check_fitted()
        networks = self._networks
        everything = {
            f"network_{k}_{i}": array
            for k, weights in enumerate(networks.members)
            for i, array in enumerate(weights)
        }
        everything |= {"shift": self._scale.shift, "scale": self._scale.scale, **arrays}
        told = {
            "kind": type(self).__name__,
            "params": self._plain_params(),
            "architecture": asdict(networks.architecture),
            "networks": len(networks.members),
            "longest": networks.longest,
            "columns": asdict(self._roles),
            "names": self.feature_names_,
            "axes": self.axes_,
            "epochs": self.epochs_,
            "losses": self.losses_,
            **plain,
        }
        saved.write(path, told, everything)

    def _plain_params(self) -> dict[str, Any]:
        return self.get_params()

    @classmethod
    def _loaded(cls, path: Any) -> tuple[Self, dict[str, Any], dict[str, np.ndarray]]:
        """Return an estimator out of a file, and what else the file has."""
        check_not_forked()
        plain, arrays = saved.read(path, cls.__name__)
        with damage_told(path, f"a {cls.__name__}"):
            self = cls(**plain["params"])
            self._check()
            told = saved.check_architecture(plain["architecture"], tuple(CELLS))
            architecture = Architecture(**told)
            limits.check_count(plain["networks"], "networks", MOST_MEMBERS)
            limits.check_weights(
                architecture.weights * plain["networks"], limits.numbers_in(arrays)
            )
            for name in ("shift", "scale"):
                limits.check_shape(arrays, name, (architecture.features,))
            limits.check_count(plain["longest"], "longest", limits.MOST_STEPS)
            networks = Networks(architecture, [], plain["longest"])
            shapes = architecture.shapes
            for k in range(plain["networks"]):
                for i, shape in enumerate(shapes):
                    limits.check_shape(arrays, f"network_{k}_{i}", shape)
                networks.members.append([arrays[f"network_{k}_{i}"] for i in range(len(shapes))])
            self._networks = networks
            self._scale = Scale(arrays["shift"], arrays["scale"])
            self._roles = roles_of(plain["columns"])
            names = plain["names"]
            self.feature_names_ = None if names is None else tuple(names)
            self.features_, self.axes_ = architecture.features, plain["axes"]
            self.epochs_ = plain["epochs"]
            self.losses_ = plain["losses"]
        return self, plain, arrays
