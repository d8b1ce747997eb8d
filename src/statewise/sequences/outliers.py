"""Steps that stand out of a series: far from what came a season before and a season after."""

import numpy as np

_FAR = 6.0  # robust deviations: among a million normal values none
_LEAST_STEPS = 8


def find_outliers(values: np.ndarray, season: int = 1) -> np.ndarray:
    """Return the positions of single steps that stand out, the farthest first.

    A step stands out where it's far above both the step a season before and the one a season
    after, or far below both; at either end the one that there is counts. Far is six times the
    usual change over a season (the median of its absolute deviations), so that what stands out
    doesn't hide itself. A level that changes for good doesn't stand out.

    Args:
        values: (time,); NaN where one is missing.
        season: steps in a season, 1 for none.

    Example:
        >>> find_outliers(np.array([5.0, 6, 5, 7, 6, 90, 6, 5, 7, 6, 5, 6]))
        array([5])
        >>> find_outliers(np.array([5.0, 6, 5, 7, 6, 5, 96, 95, 97, 96, 95, 96]))
        array([], dtype=int64)
    """
    values = np.where(np.isfinite(values), values, np.nan)
    count = len(values)
    nothing = np.array([], np.int64)
    if count < max(_LEAST_STEPS, 2 * season):
        return nothing
    change = values[season:] - values[:-season]
    known = change[~np.isnan(change)]
    if len(known) < _LEAST_STEPS // 2:
        return nothing
    middle = np.median(known)
    usual = 1.4826 * np.median(np.abs(known - middle))
    if not usual > 1e-9 * np.nanmax(np.abs(values)):
        return nothing  # mostly the same: any other value would stand out
    missing = np.full(season, np.nan)
    after_before = np.concatenate([missing, change - middle]) / usual
    before_after = np.concatenate([middle - change, missing]) / usual
    both = np.stack([after_before, before_after])
    one = np.isnan(both).any(axis=0)
    same = np.sign(both[0]) == np.sign(both[1])
    with np.errstate(invalid="ignore"):
        away = np.where(same, np.abs(both).min(axis=0), 0.0)
    alone = np.where(np.isnan(both), 0.0, np.abs(both)).max(axis=0)
    away = np.where(one, alone / 2, away)  # with one neighbour alone, either may stand out
    found = np.flatnonzero(away > _FAR)
    found = found[~_beside_another(found, away, season)]
    return found[np.argsort(-away[found], kind="stable")]


def _beside_another(found: np.ndarray, away: np.ndarray, season: int) -> np.ndarray:
    """Tell steps that stand out from one that stands out more, a season before or after."""
    place = {int(at): away[at] for at in found}
    return np.array(
        [
            max(place.get(at - season, 0.0), place.get(at + season, 0.0)) > away[at]
            for at in map(int, found)
        ],
        bool,
    )
