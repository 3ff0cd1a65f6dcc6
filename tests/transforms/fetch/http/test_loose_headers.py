"""Header lines without a colon, in a process of its own, since it is changed for good."""

import subprocess
import sys

SCRIPT = """
import io
from http.client import parse_headers
lines = b"A: b\\r\\nWarning foo\\r\\n c: d\\r\\nbar\\r\\nX: y\\r\\n\\r\\nbody: z"
from transforms.fetch.http.loose_headers import read_headers_loosely
read_headers_loosely()
import http.client
file = io.BytesIO(lines)
print(http.client.parse_headers(file).items(), file.read())
print(http.client.parse_headers(io.BytesIO(b"A: b\\r\\nfoo")).items())
"""


def test_what_is_no_header_is_passed_over():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[('A', 'b\\r\\n c: d'), ('X', 'y')] b'body: z'", "[('A', 'b')]"]
