"""Video files of strangers: probe, index, frames, sampling, shots, parts, clips, sound."""
