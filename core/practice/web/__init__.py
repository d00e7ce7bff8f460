"""DeepSeek's Search and Fetch on loopback: results, pages, and what they are charged."""
