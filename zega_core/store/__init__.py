"""Every query, one module per noun. Each takes an open ``Session`` and, first of all, the writer."""
