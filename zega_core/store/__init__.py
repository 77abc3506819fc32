"""Every query, one module per noun, on an open ``Session``.

What a door asks for is found by its writer; a session's examples are then counted and read by the row
that was found so.
"""
