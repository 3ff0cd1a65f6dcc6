"""The sound of a span of a video, on the video's clock."""

import os
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from transforms.videos.container import open_video
from transforms.videos.index import first_time, packets

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Samples = np.ndarray[Any, np.dtype[np.int16]]
_ROLL = 1  # seconds decoded before the span: codecs need some packets to find their state
_JITTER = Fraction(1, 100)  # seconds by which a container's coarse clock may miss where the sound goes on
_BLOCK = 65_536  # samples of silence written at once
_MAX_RATE = 192_000  # Hz; what says more lies, and would fill the disk with silence
_MAX_BYTES = 2**32 - 2**16  # of a wav file's samples: its header counts with 32 bits
# bytes that the samples of a video may have, and for each byte of its file; no codec for speech packs 300 into one
_FREE_BYTES, _MOST_PACKED = 2**26, 1000
_MOST_SAMPLES = 2**24  # that one packet may become at the stream's rate; of a rate of its own it might say 1 Hz


def cut_audio(path: str, start: float, end: float, out: IO[bytes], mono: bool = True) -> bool:
    """Write the sound from `start` to `end` (seconds from the video's first frame) as a wav file of 16 bits.

    Exactly (end - start) x rate samples at the stream's own rate, in its own channels or mixed to one; silence where
    there is no sound. False, and nothing written, if the video has no sound, none that a wav file could hold, or more
    than a file of its size can have; Rejected as `open_video` says.
    """
    origin = first_time(path)
    with _opened_before(path, origin + Fraction(start), start > _ROLL) as container:
        stream = _audio(container)
        if stream is None:
            return False
        rate, layout = stream.codec_context.rate, "mono" if mono else stream.codec_context.layout.name
        channels = 1 if mono else stream.codec_context.layout.nb_channels
        first, count = round(start * rate), round(end * rate) - round(start * rate)
        most = min(_MAX_BYTES, _FREE_BYTES + _MOST_PACKED * os.path.getsize(path))
        if not channels or not 0 < rate <= _MAX_RATE or 2 * channels * count > most:
            return False
        with wave.open(out, "wb") as wav:
            wav.setnchannels(channels)
            wav.setsampwidth(2)
            wav.setframerate(rate)
            written = 0
            for position, samples in _blocks(container, origin, rate, layout):
                position -= first
                if position >= count:
                    break
                written += _silence(wav, position - written, channels)
                fresh = samples[max(0, written - position) : count - position]
                wav.writeframesraw(fresh.tobytes())
                written += len(fresh)
            _silence(wav, count - written, channels)
    return True


def encode_sound(wav: str, path: str) -> None:
    """Write a wav file of 16 bits as AAC in MP4, mono or stereo (the first two channels); the same bytes each time.

    At its own rate, or at the nearest that AAC has.
    """
    import av

    with wave.open(wav, "rb") as source, av.open(path, "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        channels, own = source.getnchannels(), source.getframerate()
        layout = "mono" if channels == 1 else "stereo"
        rates = av.Codec("aac", "w").audio_rates or [own]
        target = out.add_stream("aac", rate=min(rates, key=lambda rate: abs(rate - own)), layout=layout)
        position = 0
        while block := source.readframes(_BLOCK):
            samples = np.frombuffer(block, "<i2").reshape(-1, channels)[:, :2]
            sound = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=layout
            )
            sound.sample_rate, sound.pts, sound.time_base = own, position, Fraction(1, own)
            position += len(samples)
            out.mux(target.encode(sound))
        out.mux(target.encode(None))


def _audio(container: "InputContainer") -> "AudioStream | None":
    stream = container.streams.best("audio")
    return None if stream is None or stream.codec_context is None else cast("AudioStream", stream)


def _silence(wav: wave.Wave_write, count: int, channels: int) -> int:
    """Write so many silent samples; returns their number."""
    for done in range(0, max(0, count), _BLOCK):
        wav.writeframesraw(bytes(2 * channels * min(_BLOCK, count - done)))
    return max(0, count)


@contextmanager
def _opened_before(path: str, time: Fraction, seeks: bool) -> Iterator["InputContainer"]:
    """The open container, a little before a time (seconds) of its own clock, or at its beginning."""
    import av

    with ExitStack() as opened:
        container = opened.enter_context(open_video(path, audio=True))
        stream = _audio(container)
        if seeks and stream is not None:
            try:
                container.seek(int((time - _ROLL) / Fraction(stream.time_base or 1)), stream=stream)
            except av.FFmpegError:  # which leaves it anywhere
                container = opened.enter_context(open_video(path, audio=True))
        yield container


def _blocks(container: "InputContainer", origin: Fraction, rate: int, layout: str) -> Iterator[tuple[int, Samples]]:
    """(place of the first sample on the video's clock, (N, channels) samples) from where the container stands on."""
    import av

    stream = _audio(container)
    assert stream is not None
    tick = Fraction(stream.time_base or 1)
    form: tuple[Any, ...] = ()
    due: int | None = None
    for frame in _decoded(container, stream):
        if frame.pts is not None:
            place = (frame.pts * Fraction(frame.time_base or tick) - origin) * rate
            if due is None or abs(place - due) > _JITTER * rate:
                due = round(place)
        if due is None or frame.samples * rate > _MOST_SAMPLES * frame.sample_rate:
            continue
        if (frame.format.name, frame.layout.name, frame.sample_rate) != form:  # streams may change on the way
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = av.AudioResampler(format="s16", layout=layout, rate=rate)
        frame.pts = None
        with suppress(av.FFmpegError, ValueError):
            for part in resampler.resample(frame):
                samples = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                yield due, cast(Samples, samples)
                due += len(samples)


def _decoded(container: "InputContainer", stream: "AudioStream") -> Iterator["AudioFrame"]:
    """The frames of the stream from where the container stands; packets that do not decode are left out."""
    import av

    for packet in packets(container, stream):
        if packet.stream is stream:
            with suppress(av.FFmpegError, ValueError):
                yield from stream.decode(packet)
