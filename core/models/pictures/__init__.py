"""Kinds of pictures beside the plain one: requests and their rules, one file each."""
