"""Every reason code of the ledger, with the state it means and whether the item is worth retrying."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

State = Literal["kept", "dropped", "failed"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Reason:
    """What one reason code stands for.

    `dropped` is a rule's decision, `failed` is something that broke; `transient` says a later try may end otherwise.
    """

    state: State
    transient: bool
    meaning: str


def _dropped(meaning: str) -> Reason:
    return Reason("dropped", False, meaning)


def _failed(meaning: str, transient: bool = False) -> Reason:
    return Reason("failed", transient, meaning)


REASONS: dict[str, Reason] = {
    # manifest
    "duplicate_url": _dropped("an earlier row of the manifest has the same URL"),
    "duplicate_id": _dropped("an earlier row of the manifest has the same id with another URL"),
    "merged_spans": _dropped("an earlier row of the manifest has the same video and got this row's spans too"),
    "removed": _dropped("the item, or all that was made of it, was removed from the run on request"),
    "no_url": _failed("the row has no URL"),
    "bad_row": _failed("the row cannot be read"),
    # download
    "bad_url": _failed("the URL cannot be parsed, or its scheme is none that is fetched"),
    "blocked_address": _dropped("the host is, resolves to or redirects to an address that must not be fetched"),
    "opted_out": _dropped("the server's headers reserve the item against this use"),
    "dns_error": _failed("the host name does not resolve", transient=True),
    "connect_error": _failed("no connection, or it broke", transient=True),
    "tls_error": _failed("the TLS handshake or the certificate is bad"),
    "timeout": _failed("connecting, reading or the whole transfer took too long", transient=True),
    "too_many_redirects": _failed("more redirects than allowed"),
    "bad_response": _failed("the answer is no valid HTTP or shorter than announced", transient=True),
    "transfer_error": _failed("the transfer failed in a way of its own; the detail has its words", transient=True),
    "http_error": _failed("an HTTP status other than success; the code is `http_<status>`"),
    "video_unavailable": _failed("the site does not give the video: gone, private, live, or not for everyone"),
    "unsupported_site": _failed("yt-dlp cannot read the site; a newer yt-dlp may"),
    "unknown_resolution": _dropped("the resolution cannot be told before the download"),
    "blocked_path": _dropped("the manifest names a file in a folder that the configuration does not allow"),
    "no_file": _failed("there is no such file, or it may not be read"),
    "too_large": _dropped("more bytes than the cap"),
    "not_an_image": _failed("the bytes are no image of a known format"),
    "broken_image": _failed("the image is truncated or cannot be decoded"),
    "too_many_pixels": _dropped("the header announces more pixels than the cap"),
    "too_small_image": _dropped("the image is smaller than the configured minimum"),
    "bad_aspect": _dropped("the image is longer than the configured aspect ratio"),
    "too_large_result": _dropped("resized or cut out as configured, the picture would be larger than the caps allow"),
    "not_a_video": _failed("the bytes are no video of a known container, or the page has none"),
    "playlist": _failed("a list of videos, or a description that refers to other files, and no video"),
    "no_video_stream": _failed("the file has no video stream: audio only, or a cover picture"),
    "unknown_codec": _failed("the video stream's codec is none of those that are decoded"),
    "broken_video": _failed("the video cannot be opened or read within bounds of time and memory"),
    "truncated_video": _failed("the file lacks its end"),
    "no_frames": _failed("the video has no frame that decodes"),
    "broken_frame": _failed("this frame of the video does not decode"),
    "too_long": _dropped("more seconds or frames than the cap"),
    "low_resolution": _dropped("the frames are less high than the configured minimum"),
    "duplicate_content": _dropped("an earlier item of the run has the same bytes"),
    "over_size_limit": _dropped("the run had reached its size limit before this item"),
    # vision
    "no_body": _dropped("no person above the score threshold"),
    "no_sample": _dropped("no frame of the video lies in its listed spans"),
    "no_shot": _dropped("nothing of the video, or of its listed spans, is as long as a shot must be"),
    "dark_shot": _dropped("the shot is darker than the configured minimum"),
    "blurred_shot": _dropped("the shot is less sharp than the configured minimum"),
    "static_shot": _dropped("less moves in the shot than the configured minimum"),
    "letterboxed": _dropped("black bars take more of the shot than the configured share"),
    "text_overlay": _dropped("lettering over the shot takes more than the configured share"),
    "flat_colours": _dropped("areas of one colour, as in drawings, take more of the shot than the configured share"),
    "low_quality": _dropped("the shot's BRISQUE score is above the configured maximum"),
    "cartoon": _dropped("the model for cartoons gives the shot more than the configured maximum"),
    "low_aesthetics": _dropped("the shot's aesthetic score is below the configured minimum"),
    "no_object": _dropped("no object above the score threshold in any frame of the shot"),
    "no_track": _dropped("no object of the shot is large and followed for long enough"),
    "duplicate_track": _dropped("a track that is kept shows the same object at the same time and place"),
    "not_covered": _failed("faces in it are to be covered, and the table covers has not its shot", transient=True),
    "no_span": _dropped("no face of the shot stays in place for as long as a span must be"),
    "no_face": _dropped("no face above the score threshold"),
    "crowded": _dropped("there are more faces in the picture than the configured maximum"),
    "no_clothes": _dropped("too little of the clothes under the face is in the frame"),
    "small_face": _dropped("the face's box is smaller than the configured minimum"),
    "low_score": _dropped("the face's detection score is below the configured minimum"),
    "blurred_face": _dropped("the face's crop is less sharp than the configured minimum"),
    "large_yaw": _dropped("the head is turned sideways by more than the configured angle"),
    "large_pitch": _dropped("the head is turned up or down by more than the configured angle"),
    "low_frontality": _dropped("the head's three angles together are too far from straight ahead"),
    "model_error": _failed("the model failed on this item alone"),
    "out_of_memory": _failed("the device had no memory for this item alone", transient=True),
    "internal_error": _failed("a defect of manyfaces; the detail has the exception"),
    # identity
    "bad_vector": _failed("the face's vector is zero or not finite"),
    "by_hand": _dropped("the user's overrides drop the face, or its identity"),
    "noise": _dropped("the clustering left the face alone"),
    "not_largest_cluster": _dropped("the face is in a smaller cluster of its source label"),
    "low_face_score": _dropped("the face's score is not above the cleaning threshold"),
    "small_identity": _dropped("the identity has fewer images than the minimum"),
    "unmerged": _dropped("the identity is similar to others and the merging never reached it"),
    "ambiguous": _dropped("the identity is ambiguous with a larger one"),
    "leaked": _dropped("the identity is close to one of the validation identities"),
    "filtered": _dropped("a filter of the configuration left the face out; the detail names it"),
    "duplicate_face": _dropped("a nearly equal image of the identity is kept"),
    "in_no_split": _dropped("the identity was drawn for none of the splits"),
    # curation
    "over_video_limit": _dropped("the video has as many better faces as are taken of one video"),
    "not_selected": _dropped("the person has enough other images"),
}

_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524})


_OWN = re.compile(r"own_[a-z0-9_]{1,60}")


def reason(code: str) -> Reason:
    """The meaning of a code; KeyError for an unknown one.

    `http_404` and its like are made from their status; `own_too_dark` and its like are rules of a recipe's own.
    """
    if code.startswith("http_") and code[5:].isdigit():
        return Reason("failed", int(code[5:]) in _TRANSIENT_STATUS, f"HTTP status {code[5:]}")
    if _OWN.fullmatch(code):
        return _dropped("a rule of the recipe's own; the detail has its words")
    return REASONS[code]


class Rejected(Exception):
    """Raised where an item is found to go no further; `detail` is one short line. ValueError for an unknown code."""

    def __init__(self, code: str, detail: str = "") -> None:
        try:
            reason(code)
        except KeyError:
            raise ValueError(
                f"there is no reason code {code!r}; a rule of your own has one such as own_{code}"
            ) from None
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def told(code: object, detail: object) -> Rejected:
    """What another process says of an item; `internal_error` if that is no reason that there is."""
    try:
        return Rejected(str(code), str(detail))
    except ValueError:
        return Rejected("internal_error", f"a process that handles one item ended with {code!s:.40}: {detail!s:.200}")
