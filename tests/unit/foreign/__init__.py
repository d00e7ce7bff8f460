"""Tests of what other chats' exports bring in."""
