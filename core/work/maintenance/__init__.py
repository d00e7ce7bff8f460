"""Maintenance: backups and restores, checks, moves to other places, what one person has."""
