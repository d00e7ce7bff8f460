"""What the page's benchmark is played on: texts, a browser that notes times, bare sessions."""
