"""Hours, money and walls at sizes past this machine, reckoned from what one item costs (costs.yaml)."""
