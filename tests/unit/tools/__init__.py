"""Unit tests of the studio's tools."""
