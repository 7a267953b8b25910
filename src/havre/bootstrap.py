"""The only place that knows which adapters exist: configuration in, wired use cases out."""
