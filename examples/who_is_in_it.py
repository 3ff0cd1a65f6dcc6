"""Who is in a video, step by step, as in a notebook: faces, clusters, persons, a picture, and when each is seen.

python -m examples.who_is_in_it film.mp4 --output runs/film
"""

import argparse
import os
import sys

import manyfaces


def persons_of(video: str, output: str, seconds: float = 0.5) -> list[manyfaces.persons.Seen]:
    """The persons of a video, longest on screen first; writes before.png and after.png into the run's folder."""
    faces = manyfaces.persons.extract(video, output=output, set={"sampling.seconds": seconds})
    clusters = manyfaces.persons.cluster(faces, similarity=0.78, face_weight=1, clothing_weight=0.3)
    manyfaces.persons.plot(faces, clusters, os.path.join(output, "before.png"))
    persons = manyfaces.persons.merge(faces, clusters, face_distance=0.32, clothing_distance=0.4, passes=1, min_size=4)
    manyfaces.persons.plot(faces, persons, os.path.join(output, "after.png"))
    return manyfaces.persons.screen_time(faces, persons)


def main(words: list[str] | None = None) -> None:
    """Print a line a person: how long it is on screen, and from when to when."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("video", help="a file, or an http(s) address")
    parser.add_argument("--output", default="runs/who", help="the run's folder (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.5, help="between frames (default: %(default)s)")
    given = parser.parse_args(words)
    try:
        found = persons_of(given.video, given.output, given.seconds)
    except (manyfaces.ConfigError, manyfaces.ModelError, manyfaces.RunFailed, manyfaces.PipelineFailed) as error:
        sys.exit(str(error))
    for number, person in enumerate(found, 1):
        when = ", ".join(f"{start:.1f}-{end:.1f}" for start, end in person.spans)
        print(f"person {number}: {person.seconds:.1f} s, {len(person.rows)} faces: {when}")


if __name__ == "__main__":
    main()
