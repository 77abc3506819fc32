"""The services that can teach: what ships, what a call costs, and how a mistake in the file is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from zega_core.catalog import DATA
from zega_core.configs import ProviderKey
from zega_core.errors import ConfigError, InvalidInput
from zega_core.teacher_catalog import LIMITS, TeacherCatalog, load_teacher_catalog

SOURCE = """version = 1
euros_per_dollar = 0.5
rate_checked = "2026-01-31"

[[provider]]
key = "near"
label = "Near"
local = true
needs_key = false
in_flight = 2
checked = "2026-01-31"

[[provider.model]]
id = "free"

[[provider]]
key = "far"
label = "Far"
local = false
needs_key = true
in_flight = 8
resets = "America/Los_Angeles"
checked = "2026-02-28"

[[provider.model]]
id = "small"
price_in = 1
price_out = 4.0
requests_per_minute = 30

[[provider.model]]
id = "large"
price_in = 2.5
tokens_per_day = 1000
"""
FAR = SOURCE.index('key = "far"')


def loaded(tmp_path: Path, source: str = SOURCE) -> TeacherCatalog:
    (tmp_path / "teachers.toml").write_text(source, encoding="utf-8")
    return load_teacher_catalog(tmp_path)


def test_the_shipped_file_loads() -> None:
    catalog = load_teacher_catalog()
    assert [provider.key for provider in catalog.providers] == list(ProviderKey)
    assert 0.5 < catalog.euros_per_dollar < 1.5
    assert load_teacher_catalog() is catalog


@pytest.mark.parametrize("key", ["groq", "gemini", "huggingface"])
def test_a_shipped_service_has_models_pages_and_needs_a_key(key: str) -> None:
    provider = load_teacher_catalog().provider(key)
    assert 2 <= len(provider.models) <= 4
    assert provider.needs_key and not provider.local
    assert provider.key_page.startswith("https://") and provider.terms_page.startswith("https://")


@pytest.mark.parametrize("key", ["ollama", "openai_compatible"])
def test_a_service_of_ones_own_needs_no_key_and_has_no_limits(key: str) -> None:
    provider = load_teacher_catalog().provider(key)
    assert provider.local and not provider.needs_key
    assert provider.model("anything").limits == {}


def test_shipped_prices_are_those_of_the_sources() -> None:
    catalog, euros = load_teacher_catalog(), load_teacher_catalog().euros_per_dollar
    assert catalog.price("groq", "openai/gpt-oss-120b", 1_000_000, 1_000_000) == pytest.approx(0.75 * euros)
    assert catalog.price("gemini", "gemini-3.5-flash-lite", 1_000_000, 0) == pytest.approx(0.30 * euros)
    assert all(catalog.price("huggingface", one.id, 1, 1) is None for one in catalog.provider("huggingface").models)


def test_models_that_were_shut_down_are_not_offered() -> None:
    offered = {model.id for provider in load_teacher_catalog().providers for model in provider.models}
    gone = {"llama-3.3-70b-versatile", "llama-3.1-8b-instant", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash"}
    assert not offered & gone


def test_every_shipped_service_says_where_its_facts_come_from() -> None:
    source = (DATA / "teachers.toml").read_text(encoding="utf-8")
    for key in ("groq", "gemini", "huggingface"):
        above = source[: source.index(f'key = "{key}"')].rsplit("\n\n", 1)[1]
        assert above.startswith("# ") and any(domain in above for domain in (".com/", ".co/", ".dev/")), key


def test_limits_are_read_by_name_and_what_is_missing_is_not_limited(tmp_path: Path) -> None:
    far = loaded(tmp_path).provider("far")
    assert far.model("small").limits == {"requests_per_minute": 30}
    assert far.model("large").limits == {"tokens_per_day": 1000}
    assert far.model("other").limits == {}
    assert set(far.model("large").limits) <= set(LIMITS)
    assert (far.resets, loaded(tmp_path).provider("near").resets) == ("America/Los_Angeles", "")


def test_a_price_is_that_of_both_kinds_of_tokens_in_euros(tmp_path: Path) -> None:
    catalog = loaded(tmp_path)
    assert catalog.price("far", "small", 1_000_000, 0) == pytest.approx(0.5)
    assert catalog.price("far", "small", 0, 1_000_000) == pytest.approx(2.0)
    assert catalog.price("far", "small", 300, 200) == pytest.approx((300 * 1 + 200 * 4) / 1e6 * 0.5)
    assert catalog.price("far", "small", 0, 0) == 0


def test_an_unknown_price_is_none(tmp_path: Path) -> None:
    catalog = loaded(tmp_path)
    assert catalog.price("far", "large", 10, 10) is None  # only one of its two prices is known
    assert catalog.price("far", "other", 10, 10) is None
    assert catalog.price("near", "free", 10, 10) is None  # whether a server is one's own depends on its address


def test_an_unknown_service_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    catalog = loaded(tmp_path)
    with pytest.raises(InvalidInput, match=r"'nowhere'. Choose one of: near, far\."):
        catalog.provider("nowhere")
    with pytest.raises(InvalidInput, match=f"'{'x' * 40}'"):
        catalog.price("x" * 500, "small", 1, 1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"teachers\.toml is missing"):
        load_teacher_catalog(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("version = 1", "version = 1.5", "'version' must be a whole number"),
        ("version = 1", "versoin = 1", "there is no key 'versoin'"),
        ("euros_per_dollar = 0.5", 'euros_per_dollar = "0.5"', "'euros_per_dollar' must be a number, 0 or more"),
        ("euros_per_dollar = 0.5", "euros_per_dollar = -1", "'euros_per_dollar' must be a number, 0 or more"),
        ("euros_per_dollar = 0.5", "euros_per_dollar = nan", "'euros_per_dollar' must be a number, 0 or more"),
        ('rate_checked = "2026-01-31"', 'rate_checked = "31.1.2026"', "'rate_checked' must be a day such as"),
        ('label = "Near"', 'label = ""', "'label' must be text"),
        ("local = true", 'local = "yes"', "'local' must be true or false"),
        ("in_flight = 2", "in_flight = 0", "'in_flight' must be from 1 to 64"),
        ("in_flight = 8", "in_flight = 65", "'in_flight' must be from 1 to 64"),
        ('checked = "2026-02-28"', 'checked = "soon"', "'checked' must be a day such as"),
        ('resets = "America/Los_Angeles"', "resets = 7", "'resets' must be text"),
        ('label = "Far"', 'lable = "Far"', "there is no key 'lable'"),
        ('id = "free"', "id = 5", "'id' must be text"),
        ('id = "large"', 'id = "large "', "'id' must be text, without spaces"),
        ("price_in = 1", 'price_in = "1"', "'price_in' must be a number, 0 or more"),
        ("price_in = 2.5", "price_in = true", "'price_in' must be a number, 0 or more"),
        ("price_out = 4.0", "price_out = -4.0", "'price_out' must be a number, 0 or more"),
        ("requests_per_minute = 30", "requests_per_minute = 0", "'requests_per_minute' must be at least 1"),
        ("tokens_per_day = 1000", "tokens_per_day = 1.5", "'tokens_per_day' must be a whole number"),
        ("tokens_per_day = 1000", "tokens_per_hour = 1000", "there is no key 'tokens_per_hour'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert SOURCE.count(old) == 1
    line = SOURCE.count("\n", 0, SOURCE.index(old)) + 1
    with pytest.raises(ConfigError, match=rf"teachers\.toml, line {line}: {why}"):
        loaded(tmp_path, SOURCE.replace(old, new))


@pytest.mark.parametrize("key", ["key", "label", "local", "needs_key", "in_flight", "checked"])
def test_a_missing_key_is_named_at_its_service(tmp_path: Path, key: str) -> None:
    lines = SOURCE[FAR - 12 :].split("\n")
    lines.remove(next(line for line in lines if line.startswith(f"{key} = ")))
    source = SOURCE[: FAR - 12] + "\n".join(lines)
    line = SOURCE.count("\n", 0, FAR)
    with pytest.raises(ConfigError, match=rf"teachers\.toml, line {line}: the key '{key}' is missing"):
        loaded(tmp_path, source)


def test_a_mistake_in_a_model_is_named_at_the_right_service(tmp_path: Path) -> None:
    """Both services have a first model; the line is that of the second service's."""
    source = SOURCE.replace('id = "small"\n', "")
    line = SOURCE.count("\n", 0, SOURCE.index('id = "small"'))
    with pytest.raises(ConfigError, match=rf"teachers\.toml, line {line}: the key 'id' is missing"):
        loaded(tmp_path, source)


def test_a_model_that_is_there_twice_is_named_with_the_second_line(tmp_path: Path) -> None:
    source = SOURCE.replace('id = "large"', 'id = "small"')
    line = SOURCE.count("\n", 0, SOURCE.index('id = "large"')) + 1
    with pytest.raises(ConfigError, match=rf"teachers\.toml, line {line}: 'small' is in 'model' twice"):
        loaded(tmp_path, source)


def test_a_service_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"teachers\.toml, line \d+: 'near' is in 'provider' twice"):
        loaded(tmp_path, SOURCE.replace('key = "far"', 'key = "near"'))


def test_a_file_without_services_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"teachers\.toml, line \d+: the key 'provider' is missing"):
        loaded(tmp_path, SOURCE[: SOURCE.index("[[provider]]")])
