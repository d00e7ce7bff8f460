"""Money: prices as dated data, peak hours, and what usage or pieces come to; exact, pure."""
