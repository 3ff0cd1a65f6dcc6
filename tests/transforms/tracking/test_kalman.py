import numpy as np

from transforms.tracking import kalman


class Plain:
    """The filter in its usual form, an 8 x 8 matrix a track, with ByteTrack's numbers."""

    def __init__(self, measured):
        h = measured[3]
        self.mean = np.concatenate([measured, np.zeros(4)])
        self.covariance = np.diag(
            np.square([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]),
        )
        self.motion = np.eye(8) + np.eye(8, k=4)

    def predict(self):
        h = self.mean[3]
        noise = np.square([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160])
        self.mean = self.motion @ self.mean
        self.covariance = self.motion @ self.covariance @ self.motion.T + np.diag(noise)

    def correct(self, measured):
        h = self.mean[3]
        projected = self.covariance[:4, :4] + np.diag(np.square([h / 20, h / 20, 1e-1, h / 20]))
        gain = self.covariance[:, :4] @ np.linalg.inv(projected)
        self.mean = self.mean + gain @ (measured - self.mean[:4])
        self.covariance = self.covariance - gain @ projected @ gain.T


def test_equal_to_the_filter_with_whole_matrices():
    random = np.random.default_rng(3)
    first = random.uniform([0, 0, 0.3, 50], [800, 600, 2, 300], (6, 4))
    plain = [Plain(row) for row in first]
    states = kalman.started(first)
    for step in range(40):
        kalman.predict(states)
        for one in plain:
            one.predict()
        seen = np.nonzero(random.random(6) < 0.7)[0]
        measured = first[seen] * random.normal(1 + 0.01 * step, 0.02, (len(seen), 4))
        states[:, seen] = kalman.corrected(states[:, seen], measured)
        for track, values in zip(seen, measured, strict=True):
            plain[track].correct(values)
    values, velocities, variances, covariances, velocity_variances = states
    for track, one in enumerate(plain):
        np.testing.assert_allclose(np.concatenate([values[track], velocities[track]]), one.mean, rtol=1e-9, atol=1e-9)
        whole = np.diag(np.concatenate([variances[track], velocity_variances[track]]))
        whole += np.diag(covariances[track], 4) + np.diag(covariances[track], -4)
        np.testing.assert_allclose(whole, one.covariance, rtol=1e-9, atol=1e-9)


def test_boxes_come_back():
    boxes = np.array([[10.0, 20, 50, 120], [-5, 0, 5, 3]])
    np.testing.assert_allclose(kalman.boxes_of(kalman.started(kalman.measured(boxes))), boxes)
    assert kalman.boxes_of(kalman.started(np.zeros((0, 4)))).shape == (0, 4)


def test_a_state_of_negative_height_is_a_point():
    states = kalman.started(np.array([[10.0, 20, 1, -3], [10, 20, -1, 4]]))
    np.testing.assert_allclose(kalman.boxes_of(states), [[10, 20, 10, 20], [10, 18, 10, 22]])
