"""Streams in shards: routed by key (`streams`), on hosts (`hosts`, `ray_actors`), by a `layout`."""
