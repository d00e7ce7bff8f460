"""The ledger's rows: reserved, settled, counted against budgets, listed and added up."""
