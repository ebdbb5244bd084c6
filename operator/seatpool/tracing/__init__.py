"""Makes OpenTelemetry traces of the way from an event to the list that it changed.

Contents:
- `spans`: the interface that the program uses, and `UNTRACED`, which does nothing
- `otel`: the implementation; the only module that imports OpenTelemetry
- `starting`: chooses one of the two from settings and environment
- `config`: the settings section `tracing`

Read `spans` first. Which spans there are is in `mirror` and `control`.
"""
