"""Writing with a writer's own versions. One warm process holds torch (``server``, ``engine``, ``shelf``); everything
else asks it over loopback (``models``, ``process``)."""
