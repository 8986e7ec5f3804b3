import pytest

from apps.common.cache import ForgivingRedisCache


@pytest.fixture
def away() -> ForgivingRedisCache:
    """Nobody listens on this port."""
    return ForgivingRedisCache("redis://127.0.0.1:9/0", {})


def test_while_redis_is_away_nothing_is_found_and_nothing_fails(away: ForgivingRedisCache) -> None:
    away.set("key", 1)
    away.set_many({"key": 1})
    away.delete_many(["key"])
    assert away.get("key", "default") == "default"
    assert away.get_many(["key"]) == {}
    assert away.add("key", 1) is True
    assert away.touch("key") is False
    assert away.delete("key") is False
    assert away.has_key("key") is False


def test_while_redis_is_there_it_is_a_cache(settings) -> None:
    cache = ForgivingRedisCache(settings.REDIS_URL, {})
    cache.set("test-cache", {"a": 1}, 5)
    assert cache.get("test-cache") == {"a": 1}
    assert cache.add("test-cache", 2) is False
    assert cache.delete("test-cache") is True


def test_it_asks_redis_through_one_client(settings) -> None:
    cache = ForgivingRedisCache(settings.REDIS_URL, {})._cache
    assert cache.get_client("a", write=True) is cache.get_client("b", write=True)
