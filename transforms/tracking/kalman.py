"""The constant-velocity Kalman filter of ByteTrack and DeepSORT, for all tracks at once.

The state of a track is the centre cx, cy, the aspect a = width / height, the height h, and how each changes a frame.
In the usual form its covariance is an 8 x 8 matrix. But every matrix of this model (the motion, the two noises, the
start) joins a value with its own velocity only, so that the matrix is at all times four blocks of 2 x 2: one filter a
value, of which three numbers tell the covariance. That is the same filter, equal but for rounding, without a product,
a decomposition or an inverse of matrices: a step is a few operations on arrays for all tracks together.

The noises are those of N. Wojke et al., Simple Online and Realtime Tracking with a Deep Association Metric, 2017, and
Y. Zhang et al., ByteTrack, 2022: shares of the height for cx, cy and h, fixed for a.
"""

import numpy as np

from model_handlers.interface import Array

# Places in the first axis of the states (5,N,4); the last axis is cx, cy, a, h.
VALUE, VELOCITY, VARIANCE, COVARIANCE, VELOCITY_VARIANCE = range(5)
ASPECT, HEIGHT = 2, 3

_PLACE, _SPEED = 1 / 20, 1 / 160  # standard deviations, shares of the height; the speed's a frame
# Variances are (scale of the column) x (square of the height, or 1 for the aspect).
_START_VALUE = np.array([(2 * _PLACE) ** 2, (2 * _PLACE) ** 2, 1e-2**2, (2 * _PLACE) ** 2])
_START_SPEED = np.array([(10 * _SPEED) ** 2, (10 * _SPEED) ** 2, 1e-5**2, (10 * _SPEED) ** 2])
_MOVES_VALUE = np.array([_PLACE**2, _PLACE**2, 1e-2**2, _PLACE**2])
_MOVES_SPEED = np.array([_SPEED**2, _SPEED**2, 1e-5**2, _SPEED**2])
_MEASURED = np.array([_PLACE**2, _PLACE**2, 1e-1**2, _PLACE**2])


def started(measured: Array) -> Array:
    """The states (5,N,4) of new tracks from their first boxes (N,4) cx,cy,a,h: at rest, and not at all sure of it."""
    squares = _squares(measured)
    states = np.zeros((5, *measured.shape))
    states[VALUE] = measured
    states[VARIANCE] = _START_VALUE * squares
    states[VELOCITY_VARIANCE] = _START_SPEED * squares
    return states


def predict(states: Array) -> None:
    """Move the states (5,N,4) on by one frame, in place."""
    value, velocity, variance, covariance, velocity_variance = states
    squares = _squares(value)
    value += velocity
    variance += 2 * covariance + velocity_variance + _MOVES_VALUE * squares
    covariance += velocity_variance
    velocity_variance += _MOVES_SPEED * squares


def corrected(states: Array, measured: Array) -> Array:
    """The states (5,N,4) after each was seen at its box (N,4) cx,cy,a,h."""
    value, velocity, variance, covariance, velocity_variance = states
    error = _MEASURED * _squares(value)
    gain = variance / (variance + error)
    velocity_gain = covariance / (variance + error)
    surprise = measured - value
    return np.stack(
        [
            value + gain * surprise,
            velocity + velocity_gain * surprise,
            error * gain,
            covariance - gain * covariance,
            velocity_variance - velocity_gain * covariance,
        ]
    )


def measured(boxes: Array) -> Array:
    """Boxes (N,4) x1,y1,x2,y2 of positive height as cx,cy,a,h."""
    sides = boxes[:, 2:] - boxes[:, :2]
    values = np.empty_like(boxes)
    values[:, :2] = boxes[:, :2] + sides / 2
    values[:, ASPECT] = sides[:, 0] / sides[:, 1]
    values[:, HEIGHT] = sides[:, 1]
    return values


def boxes_of(states: Array) -> Array:
    """The boxes (N,4) x1,y1,x2,y2 at which the states are; without extent where a height or an aspect fell below 0."""
    value = states[VALUE]
    halves = np.empty((len(value), 2))
    halves[:, 1] = np.maximum(value[:, HEIGHT], 0) / 2
    halves[:, 0] = np.maximum(value[:, ASPECT], 0) * halves[:, 1]
    return np.concatenate([value[:, :2] - halves, value[:, :2] + halves], axis=1)


def _squares(values: Array) -> Array:
    """What the shares of the height are shares of, squared: (N,4), h^2 and 1 for the aspect."""
    squares = np.empty_like(values)
    squares[:] = values[:, HEIGHT, None] ** 2
    squares[:, ASPECT] = 1
    return squares
