"""Uploaded pictures, normalised: upright, sRGB, without metadata, as JPEG or PNG."""
