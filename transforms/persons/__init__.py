"""Who is in a video: faces grouped into persons by face, clothing and what the film itself shows."""
