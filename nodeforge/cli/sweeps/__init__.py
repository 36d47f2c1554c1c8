"""Commands that run one workflow many times."""
