"""The check-up: what is wrong, told apart by probes that cost nothing."""
