"""What programs are told of what is stored: the same from the REST API and from the command line (``--json``)."""
