"""Why a program has no figures."""


class Trouble(Exception):
    """A program that could not be installed, started or asked; said in a few words."""
