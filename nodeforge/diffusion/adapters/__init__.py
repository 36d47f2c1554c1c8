"""What is added to a model while it runs: ControlNets, T2I-Adapters, LoRAs."""
