"""What *Measure this model* has found: seconds and distances by sampler and steps."""
