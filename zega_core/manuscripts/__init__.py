"""A writer's own pages: read from a file, cut into passages, and for each passage what could have been asked. Pure."""
