"""Everything that takes longer than a page may: enqueued by the doors, run by worker processes."""
