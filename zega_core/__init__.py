"""Everything ZEGA knows and does, without a page in sight.

Imports point down only; ``tests/test_architecture.py`` holds it:

    doors        cli  (and, outside this package: app.py, pages/, zega_ui/)
    runner       jobs/
    use cases    auto_train
    records      store/
    tools        dataset  charts  providers/  quality/
    shared tools catalog  db
    words        settings  configs  tables
    errors       errors
"""
