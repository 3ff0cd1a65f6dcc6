"""A codec of objects that takes any vector for the probabilities of as many classes."""

import numpy as np

from model_handlers.interface import Codec, Objects


def encode(image):
    return np.zeros((3, 64, 64), np.float32), None


def decode(outputs, context):
    none = np.zeros(0, np.float32)
    return Objects(none.reshape(0, 4), none, none.astype(np.int64), none.reshape(0, outputs[0].size))


def codec() -> Codec:
    return Codec("objects", encode, decode, version=1)
