"""Shots as they may be shown: what stages that write media are given to cover their frames with."""

from functools import partial

from model_handlers.interface import Pixels
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.lookup import TABLE, covers_of
from transforms.anonymizing.paint import cover
from transforms.videos.covering import Covering, Paint


def covering(settings: PaintSettings) -> Covering:
    """Covers frames as the table `covers` says, which a job before that of the stage writes."""
    return Covering(partial(shot_paint, settings), {"paint": settings}, (TABLE,))


def shot_paint(settings: PaintSettings, run: str, shot_id: str) -> Paint:
    """What paints the frames of a shot; Rejected `not_covered` if it was not examined, IndexError outside the shot."""
    covers = covers_of(run, shot_id)

    def paint(number: int, image: Pixels) -> Pixels:
        return cover(image, covers.at(number), settings)

    return paint
