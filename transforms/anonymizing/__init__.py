"""Faces and licence plates that must not be seen: found, followed, and covered in the media that are written."""
