"""What a pod tells of itself: probes, metrics, logs and traces. Nothing below knows this package."""
