"""Who may ask the REST API, by where it listens: the server and ``zega doctor`` go by the same."""

from __future__ import annotations

from ipaddress import ip_address

from zega_core import db, sign_in
from zega_core.errors import ConfigError
from zega_core.settings import Settings
from zega_core.store import api_keys


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def without_keys(host: str) -> bool:
    """Whether this machine's own programs are answered without one."""
    return is_loopback(host) and not sign_in.is_configured()


def check_keys(settings: Settings, host: str) -> None:
    """Raises ConfigError where nobody could come in, or anybody might."""
    with db.reading(settings) as session:
        if api_keys.any_valid(session):
            return
    how = "Make a key in Settings, or by: zega keys create --writer ana --name laptop"
    if not is_loopback(host):
        raise ConfigError(f"On {host} other machines can reach the API, and there is no key for it yet. {how}")
    if sign_in.is_configured():
        raise ConfigError(f"People sign in here, so the API answers nobody without a key, and there is none yet. {how}")
