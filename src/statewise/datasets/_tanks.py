"""Heated tanks, of which only pressure and temperature are measured."""

import numpy as np

from statewise.datasets._checks import check_counts

TANK_FEATURES = ("pressure", "temperature")  # kPa, degrees Celsius

_OUTFLOW = 1 / 40  # of the filling, an hour
_COOLING = 1 / 12  # of the difference to the surroundings, an hour
_HEATING = 4.0  # K an hour while the heater is on
_DAY, _HEATED = 24, 8  # hours
_AMBIENT, _FEED = 15.0, 10.0  # degrees Celsius
_PRESSURE, _REFERENCE = 150.0, 20.0  # kPa in a half-filled tank at so many degrees Celsius
_ZERO = 273.15  # K at 0 degrees Celsius
_SETTLE = 240  # hours before the first measurement
_NOISE = np.array([1.0, 0.3])  # kPa, K


def tanks(tanks: int = 8, steps: int = 200, *, seed: int = 0) -> np.ndarray:
    """Simulate pressure and temperature of closed, heated tanks, hour by hour.

    What drives a tank is hidden: how much flows in (slowly varying) and whether its heater is on
    (8 hours of each day, at a time of day that each tank has for itself). With the filling f
    (a fraction of the tank), the temperature T and the pressure P, each hour::

        s' = 0.98 s + 0.2 normal()                       the inflow's slow swing, within -1 and 1
        q  = (1 + 0.6 s) / 80                            inflow
        f' = f + q - f / 40                              the outflow grows with the filling
        T' = T + (15 - T) / 12 + 4 heater + q / f (10 - T)
        P  = 150 (T + 273.15) / 293.15 * 0.5 / (1 - f)   the gas law for the gas above the liquid

    The sensors add normal noise of 1 kPa and 0.3 K. To foresee the heater, one must have seen when
    it came the day before, and to tell the inflow from the noise, more than a few hours: whole
    sequences can be forecast better than windows of 5 steps.

    Args:
        tanks: how many, at least 1.
        steps: hours, at least 1; more steps continue the same series.
        seed: what the random numbers start from.

    Returns:
        float32 (tanks, steps, 2): pressure in kPa and temperature in degrees Celsius, the names
        in ``TANK_FEATURES``.

    Raises:
        TypeError: where a count is no whole number.
        ValueError: where a count is below 1.

    Example:
        >>> tanks(tanks=3, steps=50).shape
        (3, 50, 2)
    """
    check_counts(tanks=tanks, steps=steps)
    rng = np.random.default_rng(seed)
    switched_on = rng.integers(0, _DAY, size=tanks)
    noise = rng.normal(size=(_SETTLE + steps, tanks, 3))  # by time: more steps go on alike

    swing, filling = np.zeros(tanks), np.full(tanks, 0.5)
    temperature = np.full(tanks, _REFERENCE)
    measured = np.empty((tanks, steps, 2), np.float32)
    for hour in range(_SETTLE + steps):
        swing = np.clip(0.98 * swing + 0.2 * noise[hour, :, 0], -1, 1)
        inflow = _OUTFLOW * (1 + 0.6 * swing) / 2
        heater = (hour - switched_on) % _DAY < _HEATED
        temperature = (
            temperature
            + _COOLING * (_AMBIENT - temperature)
            + _HEATING * heater
            + inflow / filling * (_FEED - temperature)
        )
        filling = filling + inflow - _OUTFLOW * filling
        if hour >= _SETTLE:
            warmth = (temperature + _ZERO) / (_REFERENCE + _ZERO)
            pressure = _PRESSURE * warmth * 0.5 / (1 - filling)
            truth = np.stack([pressure, temperature], axis=-1)
            measured[:, hour - _SETTLE] = truth + _NOISE * noise[hour, :, 1:]
    return measured
