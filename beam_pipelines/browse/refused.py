"""What is not answered, and the sentence that says why."""

from http import HTTPStatus


class Refused(Exception):
    """A request that is answered with a status of HTTP and one sentence, which may hold text of strangers."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def not_there(sentence: str) -> Refused:
    """404: what was asked for is not in the run."""
    return Refused(HTTPStatus.NOT_FOUND, sentence)
