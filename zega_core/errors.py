"""Every error ZEGA raises on purpose. Each message says what is wrong and what to do next.

* ZegaError
  x InvalidInput          something typed, sent or uploaded cannot be used
  x ConfigError           a setting, or a shipped file, is broken
  x HomeError             ZEGA_HOME cannot be used (permissions, full disk, corrupt database)
  x NotFound              no such thing, or it belongs to another writer
  x ProviderError         a chat model did not deliver
    + ProviderUnavailable   no answer; trying again may help
"""


class ZegaError(Exception):
    """Base of all. ``str(error)`` is a sentence that can be shown to the writer."""


class InvalidInput(ZegaError):
    pass


class ConfigError(ZegaError):
    pass


class HomeError(ZegaError):
    pass


class NotFound(ZegaError):
    pass


class ProviderError(ZegaError):
    pass


class ProviderUnavailable(ProviderError):
    pass
