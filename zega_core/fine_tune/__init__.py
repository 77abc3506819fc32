"""Fine-tuning: from kept examples to an adapter. Only ``train`` and what it imports load torch."""
