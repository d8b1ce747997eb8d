"""The registry is imported by name; collected a second time, its cell would be registered twice."""

collect_ignore = ["layer_registry.py"]
