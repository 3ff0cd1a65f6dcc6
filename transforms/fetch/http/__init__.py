"""Images by HTTP: many transfers at once, none to an address that is not public."""
