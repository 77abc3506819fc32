"""Everything ZEGA knows and does, without a page in sight.

Imports point down only: ``docs/architecture.md`` has the layers, ``tests/test_architecture.py`` holds them.
"""
