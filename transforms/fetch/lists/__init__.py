"""Reading the user's list, whatever its format: a stream of records in which nothing is lost without a word."""
