"""Load on a pipeline that runs, local or not, and the witness of what came of it."""
