"""How two workflows differ in meaning."""
