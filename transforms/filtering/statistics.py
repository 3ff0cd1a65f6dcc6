"""What image statistics tell of a shot: light, sharpness, movement, black bars, flat colours. Each is named for what it
measures, and no more.

Of every frame something slim is measured, and from that of all frames one score. Frames are RGB uint8 (H,W,3); luma is
that of Rec. 601, 0 to 255.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from model_handlers.interface import Array, Pixels

_BLACK = 16  # luma; bars of video are at 0, and a little above where they were compressed
_PERCENT = 90  # the luma that so much of a frame does not exceed is its light
_HEIGHT = 240  # pixels, at which sharpness is measured, however large the frame
_BLURRED_EDGE = 3  # rows or columns at that height beside a bar, in which it still shows
_TILES = 8  # along each side of a frame, for sharpness
_WHITE = 255.0
_THUMBNAIL = (64, 36)  # width, height, for movement
_MOST_OF_THE_TIME = (10, 90)  # percentiles
_SCREEN = (160, 90)  # width, height, for bars
_EDGE = 2  # rows or columns of the screen, within which a bar ends
_PICTURE = 40  # luma of what is certainly no bar
_STRAIGHT = 0.5  # share of the length of a bar's edge along which the picture begins there
_PAGE = (320, 180)  # width, height, for text
_BLOCK = 10  # pixels of the page, side of the blocks in which text is looked for
_STROKE = 30  # levels of luma from one side of a pixel to the other, where a stroke begins or ends
_STANDS = 15  # levels of luma by which what stands still changes over time, at most
_MOVES = 10  # levels of luma by which half of a moving picture changes over time, at least
_REST_STANDS = 0.5  # share of the strokes beside the lettering that stand still, at most, if the picture moves
_STROKES = 0.04  # share of a block's pixels at which strokes begin, and at which they end
_FLAT_HEIGHT = 180  # pixels, at which flat colours are looked for
_EQUAL = 2  # levels of a channel between a pixel and its neighbours, at most, in a flat area
_LARGE = 0.005  # share of the frame, for an area to be large


def luma(pixels: Pixels) -> Pixels:
    """(H,W) uint8."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def at_height(pixels: Pixels, height: int) -> Pixels:
    """The image at this height, pixels, made smaller by means and larger linearly."""
    width = max(1, round(pixels.shape[1] * height / pixels.shape[0]))
    how = cv2.INTER_AREA if height < pixels.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how))


def without_bars(grey: Pixels, margin: int = 0) -> Pixels:
    """The part of a frame (H,W) between its first and last row and column that are not black throughout; maybe none.

    Where something is cut off, `margin` rows or columns more are.
    """
    bright = grey > _BLACK
    (top, bottom), (left, right) = (_lit(np.asarray(bright.any(axis=axis)), margin) for axis in (1, 0))
    return grey[top:bottom, left:right]


def _lit(lines: Array, margin: int) -> tuple[int, int]:
    """The first line that is lit, and the one after the last; the margin is kept only at the frame's own border."""
    lit = np.flatnonzero(lines)
    if not lit.size:
        return 0, 0
    first, end = int(lit[0]), int(lit[-1]) + 1
    return first + (margin if first else 0), end - (margin if end < len(lines) else 0)


def brightness(pixels: Pixels) -> float:
    """The luma that nine tenths of a frame do not exceed, 0 to 255; black bars do not count."""
    seen = without_bars(luma(pixels))
    return float(np.percentile(seen, _PERCENT)) if seen.size else 0.0


def sharpness(pixels: Pixels) -> float:
    """Variance of the Laplacian in the sharpest tenth of 8 x 8 tiles of the frame at a height of 240 pixels.

    So a sharp person before a soft background is sharp, and a sharp caption does not make a soft frame sharp; frames of
    every size compare. Black bars do not count. The unit is luma squared after `brightness` became 255, so that a dark
    frame is no soft one. (J. Pech-Pacheco et al., ICPR 2000.)
    """
    grey = without_bars(at_height(luma(pixels), _HEIGHT), _BLURRED_EDGE)
    if min(grey.shape) < _TILES:
        return 0.0
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    tiles = [tile.var() for rows in np.array_split(edges, _TILES) for tile in np.array_split(rows, _TILES, axis=1)]
    light = max(float(np.percentile(grey, _PERCENT)), float(_BLACK))
    return float(np.percentile(tiles, _PERCENT)) * (_WHITE / light) ** 2


def thumbnail(pixels: Pixels) -> Pixels:
    """(36,64) uint8: the luma of a frame, for `movement`."""
    return np.asarray(cv2.resize(luma(pixels), _THUMBNAIL, interpolation=cv2.INTER_AREA))


def movement(thumbnails: Sequence[Array]) -> float:
    """How much the hundredth of a shot's thumbnails (36,64) that changes most does, levels of luma; 0 for a single one.

    That is the range from the tenth to the ninetieth percentile over time: what the first frames keep of another shot,
    of a fade or of a coarser compression does not count, and neither does a flash.
    """
    low, high = np.percentile(np.asarray(thumbnails, np.float32), _MOST_OF_THE_TIME, axis=0)
    return float(np.percentile(high - low, 99))


def screen(pixels: Pixels) -> Pixels:
    """(90,160) uint8: the luma of a frame, for `bars`."""
    return np.asarray(cv2.resize(luma(pixels), _SCREEN, interpolation=cv2.INTER_AREA))


def bars(screens: Sequence[Array]) -> float:
    """The share of the frame that black bars take, 0 to 1: as much above as below, as much left as right.

    A bar is black in all screens (90,160), and along half of its edge, at least, the picture begins at once; that of
    one of two bars must be a clear one. Dark scenes have no such edge; neither has a shot that is black throughout.
    """
    lightest: Array = np.max(np.asarray(screens), axis=0)
    return 1 - (1 - _bars_along(lightest)) * (1 - _bars_along(lightest.T))


def _bars_along(lightest: Array) -> float:
    """The share of the rows that the bars above and below take together."""
    bright = lightest > _BLACK
    first, end = _lit(np.asarray(bright.any(axis=1)), 0)
    across = int(bright.any(axis=0).sum())  # columns that belong to no bar
    if not across:
        return 0.0
    edges = lightest[first : first + _EDGE].max(axis=0), lightest[max(end - _EDGE, 0) : end].max(axis=0)
    begins = min((edge > _BLACK).sum() for edge in edges) >= _STRAIGHT * across
    clearly = max((edge > _PICTURE).sum() for edge in edges) >= _STRAIGHT * across
    return 2 * min(first, len(bright) - end) / len(bright) if begins and clearly else 0.0


def page(pixels: Pixels) -> Pixels:
    """(180,320) uint8: the luma of a frame, for `text_overlay`."""
    return np.asarray(cv2.resize(luma(pixels), _PAGE, interpolation=cv2.INTER_AREA))


def text_overlay(pages: Sequence[Array]) -> float:
    """The share of the frame's area that lettering or a logo takes which stands still while the picture moves, 0 to 1.

    That are blocks of 10 x 10 pixels of the pages (180,320) in which strokes begin and end, from left to right, at the
    same places all the time. Where the rest of the picture stands still too, or flickers only, letters cannot be told
    from what is in it: 0.
    """
    over_time = np.asarray(pages, np.float32)
    low, typical, high = np.percentile(over_time, (_MOST_OF_THE_TIME[0], 50, _MOST_OF_THE_TIME[1]), axis=0)
    changes = high - low
    if np.median(changes) < _MOVES:
        return 0.0
    slope = _slope(typical)
    begins, ends = (_by_block((side > _STROKE) & (changes <= _STANDS)) for side in (slope, -slope))
    found = ((begins >= _STROKES) & (ends >= _STROKES)).astype(np.uint8)
    rest = 1 - cv2.dilate(found, np.ones((3, 3), np.uint8))
    standing = (_by_block(np.abs(slope) > _STROKE) * rest).sum()
    seen = np.mean([(_by_block(np.abs(_slope(one)) > _STROKE) * rest).sum() for one in over_time])
    return float(found.mean()) if standing <= _REST_STANDS * seen else 0.0


def _slope(grey: Array) -> Array:
    """From left to right, levels of luma from one side of a pixel to the other."""
    return np.asarray(cv2.Sobel(np.asarray(grey, np.float32), cv2.CV_32F, 1, 0, ksize=3)) / 4


def _by_block(chosen: Array) -> Array:
    """(18,32): the share of each block's pixels that are chosen."""
    height, width = chosen.shape
    shares: Array = chosen.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).mean(axis=(1, 3))
    return shares


def flat_share(pixels: Pixels) -> float:
    """The share of a frame in large areas of one colour, as drawings, diagrams and slides have them; 0 to 1.

    A pixel is flat if no channel of its neighbours differs by more than 2 levels; an area of such pixels is large from
    a two-hundredth of the frame on. Measured at a height of 180 pixels, where compression's noise is gone; black bars
    do not count. Drawings with shading have no flat areas, and an overexposed sky is one.
    """
    small = at_height(pixels, _FLAT_HEIGHT)
    seen = without_bars(luma(small))
    if not seen.size:
        return 0.0
    box = np.ones((3, 3), np.uint8)
    flat = (cv2.dilate(small, box).astype(np.int16) - cv2.erode(small, box)).max(axis=2) <= _EQUAL
    flat &= luma(small) > _BLACK
    _, _, areas, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=4)
    sizes = areas[1:, cv2.CC_STAT_AREA]  # the first is all that is not flat
    return float(sizes[sizes >= _LARGE * seen.size].sum() / seen.size)


def median(values: Sequence[Array]) -> float:
    """That of a number a frame: a flash, a fade or a frame that moves too fast does not speak for a shot."""
    return float(np.median(np.asarray(values, np.float64)))
