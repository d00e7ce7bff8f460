"""Model Context Protocol: the studio as tools of other programs' models."""
