"""Where jobs run: Beam's options for each engine, the processes beside it, and a pipeline on its way."""
