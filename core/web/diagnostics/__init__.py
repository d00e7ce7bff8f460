"""What the owner asks of the studio itself: the check-up and the X-ray."""
