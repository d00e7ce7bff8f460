"""Spending: what calls are expected to cost, and what becomes of the lines in the ledger."""
